//! Bytes for people and scripts, never altered: text as it is, JSON laid out, anything else in hexadecimal digits.

use serde_json::value::RawValue;
use std::fmt::Write as _;

/// How many bytes stand on a line of hexadecimal digits.
const ROW: usize = 16;

/// The bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes as a person reads them.
pub(super) fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "(empty)".to_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if serde_json::from_str::<&RawValue>(text).is_ok() => laid_out(text),
        // Control characters are escaped, so that nothing of it acts on the terminal.
        Ok(text) if text.chars().any(|one| one.is_control()) => text.escape_debug().to_string(),
        Ok(text) => text.to_owned(),
        Err(_) => rows(bytes),
    }
}

fn rows(bytes: &[u8]) -> String {
    let row = |(place, row): (usize, &[u8])| {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let seen: String =
            row.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        format!("{:08x}  {:<47}  {seen}", place * ROW, digits.join(" "))
    };
    bytes.chunks(ROW).enumerate().map(row).collect::<Vec<_>>().join("\n")
}

/// Lays out JSON without changing a token: numbers keep every digit, keys their order and their repetitions.
fn laid_out(text: &str) -> String {
    let (mut out, mut depth, mut within, mut escaped) =
        (String::with_capacity(text.len()), 0_usize, false, false);
    let mut tokens = text.chars().peekable();
    while let Some(one) = tokens.next() {
        if within {
            out.push(one);
            within = escaped || one != '"';
            escaped = !escaped && one == '\\';
            continue;
        }
        match one {
            '"' => {
                within = true;
                out.push(one);
            }
            '{' | '[' => {
                while tokens.next_if(|next| next.is_whitespace()).is_some() {}
                out.push(one);
                if let Some(close) = tokens.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(one);
            }
            ',' => {
                out.push(one);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            one if one.is_whitespace() => {}
            one => out.push(one),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_no_token_of_it_changes() {
        let text = r#"{"b": 1.10, "a":[1,{"x":"a,\"}:[ "},[], { }],"b":12345678901234567890123}"#;
        let shown = shown(text.as_bytes());
        let lines = [
            "{",
            r#"  "b": 1.10,"#,
            r#"  "a": ["#,
            "    1,",
            "    {",
            r#"      "x": "a,\"}:[ ""#,
            "    },",
            "    [],",
            "    {}",
            "  ],",
            r#"  "b": 12345678901234567890123"#,
            "}",
        ];
        assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn what_is_no_text_is_shown_in_digits_and_what_would_act_on_the_terminal_is_escaped() {
        assert_eq!(shown(b"fine, thanks"), "fine, thanks");
        assert_eq!(shown(b"a\x1b[2J\n"), "a\\u{1b}[2J\\n");
        assert_eq!(shown(b""), "(empty)");
        assert_eq!(shown(b"\xffA\x00"), format!("00000000  {:<47}  .A.", "ff 41 00"));
        assert_eq!(hex(b"\xff\x00"), "ff00");
    }
}
