//! `oms import`: a file's orders, from placed to ended.

use super::{open::open, output::print};
use crate::{
    args::ImportArgs,
    exit::{Blame, Failure},
    import::{House as _, Intake, Pace, Settled, StockLevels, Stop, Taken},
    plan::{Gather, PaymentMix, Percent, Services, Survey},
    report::{Report, place},
    shop::{Shop, World},
    show::{ImportAnswer, Progress, figures, grouped},
    source::{Reading, Rows},
};
use oms_core::gateway::simulated::Windows;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the loops may take to finish what they have begun.
const DRAIN: Duration = Duration::from_secs(10);

/// What to bring in, and how.
pub(super) struct Plan {
    pub(super) file: PathBuf,
    pub(super) reading: Reading,
    pub(super) services: Services,
    pub(super) stock: StockLevels,
    pub(super) pace: Pace,
    pub(super) settle: Duration,
    pub(super) mix: PaymentMix,
    pub(super) report: PathBuf,
}

/// What came of it.
pub(super) struct Brought {
    pub(super) answer: ImportAnswer,
    pub(super) open: u64,
    pub(super) stopped: bool,
}

pub(super) async fn run(db: &Path, json: bool, args: &ImportArgs) -> Result<(), Failure> {
    let stock = StockLevels::read(&args.stock).map_err(|error| Failure::new(Blame::Input, error))?;
    let world = World {
        seed: args.world.seed,
        decline: args.world.decline.unwrap_or_default(),
        refuse: args.world.refuse.unwrap_or_default(),
        windows: Windows::default(),
    };
    let plan = Plan {
        file: args.file.clone(),
        reading: args.reading(),
        services: args.services.clone().map_or_else(Services::default, |codes| codes.into_iter().collect()),
        stock,
        pace: Pace::per_second(args.rate),
        settle: args.settle,
        mix: args.world.mix(Percent::default(), Percent::default()),
        report: args.report.clone().unwrap_or_else(|| place(db, &args.file)),
    };
    // The file is read before the database is touched: what is refused leaves nothing behind.
    let survey = plan.survey()?;
    let mut shop = open(db, world).await?;
    shop.run();
    let brought = plan.bring(&shop, &survey).await;
    shop.close(DRAIN).await;
    let brought = brought?;
    print(json, &brought.answer, || shown(&brought, &survey))?;
    brought.finished()
}

impl Brought {
    /// A run that was stopped has not done what it was asked.
    pub(super) fn finished(&self) -> Result<(), Failure> {
        let text = "stopped before all orders had ended; the same command goes on where it stopped";
        if self.stopped { Err(Failure::new(Blame::Outside, text)) } else { Ok(()) }
    }
}

impl Plan {
    /// Reads the whole file once.
    pub(super) fn survey(&self) -> Result<Survey, Failure> {
        Ok(Survey::read(Rows::open(&self.file, &self.reading)?, &self.services)?)
    }

    /// Brings the file in, until all its orders have ended.
    pub(super) async fn bring(&self, shop: &Shop, survey: &Survey) -> Result<Brought, Failure> {
        let stop = on_ctrl_c();
        let mut report = Report::create(&self.report).map_err(Failure::outside)?;
        shop.adjust(self.stock.opening(survey.skus())).await.map_err(Failure::outside)?;
        let rows = Rows::open(&self.file, &self.reading)?;
        let gather = Gather::new(rows, survey, &self.services, self.mix);
        let orders = survey.totals().orders;
        let placing = Progress::new("placing", orders);
        let intake = Intake::new(shop, &mut report, self.pace);
        let (taken, watch) = intake.run(gather, &stop, |done| placing.reach(done)).await?;
        drop(placing);
        let ending = Progress::new("ending", taken.placed + taken.already_known);
        let settled = watch.run(shop, self.settle, &stop, |done| ending.reach(done)).await?;
        for row in &settled.too_late {
            report.add(row).map_err(Failure::outside)?;
        }
        report.finish().map_err(Failure::outside)?;
        let open = settled.open;
        Ok(Brought { answer: self.answer(survey, taken, settled), open, stopped: stop.asked() })
    }

    fn answer(&self, survey: &Survey, taken: Taken, settled: Settled) -> ImportAnswer {
        let totals = survey.totals();
        ImportAnswer {
            orders: totals.orders - taken.refused_orders,
            rows: totals.rows,
            cancellation_invoices: totals.cancellation_invoices,
            cancellations_matched: totals.cancellations_matched,
            gross_minor: totals.gross_minor - taken.refused_minor,
            placed: taken.placed,
            already_known: taken.already_known,
            by_status: settled.by_status,
            refused_rows: totals.refused_rows + taken.refused_rows,
            report: self.report.clone(),
        }
    }
}

fn on_ctrl_c() -> Stop {
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.ask();
        }
    });
    stop
}

fn shown(brought: &Brought, survey: &Survey) -> String {
    let (answer, totals) = (&brought.answer, survey.totals());
    let unmatched = totals.cancellation_invoices - totals.cancellations_matched;
    let count = |name: &str, number: u64| (name.to_owned(), grouped(number.into()));
    let mut rows = vec![
        count("rows", answer.rows),
        count("orders", answer.orders),
        (format!("gross, minor units of {}", survey.currency()), grouped(answer.gross_minor.into())),
        count("placed now", answer.placed),
        count("placed before", answer.already_known),
        count("cancellations of whole orders", totals.cancellations_matched),
        count("returns, not supported yet", unmatched),
        count("refused rows", answer.refused_rows),
    ];
    rows.extend(answer.by_status.iter().map(|(status, number)| count(status, *number)));
    rows.push(count("not ended", brought.open));
    format!("{}\nwhat became nothing is listed in {}", figures(rows), answer.report.display())
}
