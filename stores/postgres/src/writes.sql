-- What a commit calls: one statement calls all that it needs, each function changes one table in one way and says how many rows it
-- changed. The rows of all turns of the commit come together, a column in each array. `given` is the time, as in `moment`.

-- Locks the lanes of turns that commit, in one order for everybody, and holds each against what it read: the lane's version, and the
-- epoch of its lease where it has one. `firm` lanes withdraw wishes, so that nobody may take their lease meanwhile. Whatever does not
-- hold is named in the detail of the error, and nothing of the commit stays. A lane that somebody else has locked counts as moved on: it
-- will have, and the other turns of this commit must not wait for whoever holds it.
CREATE FUNCTION hold(lanes integer[], versions bigint[], nexts bigint[], epochs bigint[], firm integer[], events bigint[])
  RETURNS bigint
  LANGUAGE plpgsql AS $$
DECLARE moved text; lost text; ours integer[];
BEGIN
  ours := ARRAY (SELECT id FROM lane WHERE id = ANY (lanes) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
  IF cardinality(firm) > 0 THEN
    PERFORM FROM lease WHERE lease.lane = ANY (firm) ORDER BY lease.lane FOR SHARE;
  END IF;
  SELECT string_agg(held.id::text, ',') FILTER (WHERE held.id <> ALL (ours) OR lane.version IS DISTINCT FROM held.version),
      string_agg(held.id::text, ',') FILTER (WHERE held.epoch IS NOT NULL AND lease.epoch IS DISTINCT FROM held.epoch)
    INTO moved, lost
    FROM unnest(lanes, versions, epochs) AS held (id, version, epoch)
    LEFT JOIN lane ON lane.id = held.id LEFT JOIN lease ON lease.lane = held.id;
  IF moved IS NOT NULL OR lost IS NOT NULL THEN
    RAISE EXCEPTION 'a lane has moved on' USING ERRCODE = 'OM001', DETAIL = coalesce(moved, '') || ';' || coalesce(lost, '');
  END IF;
  UPDATE lane SET version = held.version + 1, next = held.next, events = lane.events + held.events
    FROM unnest(lanes, versions, nexts, hold.events) AS held (id, version, next, events) WHERE lane.id = held.id;
  RETURN cardinality(lanes);
END $$;

CREATE FUNCTION owed_gone(hearers integer[], packs bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  DELETE FROM owed USING unnest(hearers, packs) AS old (hearer, pack) WHERE owed.hearer = old.hearer AND owed.pack = old.pack;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION owed_marked(hearers integer[], packs bigint[], opens boolean[], all_marks bytea[])
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  UPDATE owed SET open = new.open, marks = new.marks FROM unnest(hearers, packs, opens, all_marks) AS new (hearer, pack, open, marks)
    WHERE owed.hearer = new.hearer AND owed.pack = new.pack;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION owed_new(hearers integer[], packs bigint[], topics text[], all_keys bytea[], digests bytea[], bodies bytea[],
    given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO owed (hearer, pack, topic, since, keys, digest, bytes)
    SELECT hearer, pack, topic, moment(given), keys, digest, bytes
      FROM unnest(hearers, packs, topics, all_keys, digests, bodies) AS new (hearer, pack, topic, keys, digest, bytes);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION parked_gone(seqs bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  DELETE FROM parked WHERE seq = ANY (seqs);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION dead_states(numbers bigint[], states smallint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  UPDATE dead SET state = new.state FROM unnest(numbers, states) AS new (number, state) WHERE dead.number = new.number;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION parked_again(seqs bigint[], errors text[], all_attempts integer[], waits bigint[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  UPDATE parked SET error = new.error, attempts = new.attempts, next = moment(given) + new.wait
    FROM unnest(seqs, errors, all_attempts, waits) AS new (seq, error, attempts, wait) WHERE parked.seq = new.seq;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION dead_again(numbers bigint[], errors text[], all_attempts integer[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  UPDATE dead SET error = new.error, attempts = new.attempts, time = moment(given), state = 0
    FROM unnest(numbers, errors, all_attempts) AS new (number, error, attempts) WHERE dead.number = new.number;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION parked_new(hearers integer[], all_keys text[], packs bigint[], places integer[], letters bigint[], errors text[],
    all_attempts integer[], waits bigint[], messages bytea[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO parked (hearer, key, pack, place, letter, error, attempts, next, message)
    SELECT hearer, key, pack, place, letter, error, attempts, moment(given) + wait, message
      FROM unnest(hearers, all_keys, packs, places, letters, errors, all_attempts, waits, messages) WITH ORDINALITY
        AS new (hearer, key, pack, place, letter, error, attempts, wait, message, number) ORDER BY new.number;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION dead_new(hearers integer[], kinds text[], packs bigint[], places integer[], errors text[], all_attempts integer[],
    messages bytea[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO dead (hearer, kind, pack, place, error, attempts, time, state, message)
    SELECT hearer, kind, pack, place, error, attempts, moment(given), 0, message
      FROM unnest(hearers, kinds, packs, places, errors, all_attempts, messages) WITH ORDINALITY
        AS new (hearer, kind, pack, place, error, attempts, message, place_in_turn) ORDER BY new.place_in_turn;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION effect_gone(orders text[], steps text[], all_attempts integer[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  DELETE FROM effect USING unnest(orders, steps, all_attempts) AS old (ord, step, attempt)
    WHERE effect.ord = old.ord AND effect.step = old.step AND effect.attempt = old.attempt;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION effect_let_go(orders text[], steps text[], all_attempts integer[], agains bigint[], replies bytea[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  UPDATE effect SET look = moment(given) + again, heard = new.heard, calls = 0
    FROM unnest(orders, steps, all_attempts, agains, replies) AS new (ord, step, attempt, again, heard)
    WHERE effect.ord = new.ord AND effect.step = new.step AND effect.attempt = new.attempt;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

-- Says fewer than it was given where a wish was there before.
CREATE FUNCTION effect_new(orders text[], steps text[], all_attempts integer[], lanes integer[], gateways text[], kinds text[],
    streams text[], ranks smallint[], causes bytea[], requests bytea[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO effect (ord, step, attempt, lane, gateway, kind, stream, rank, cause, request, look)
    SELECT new.*, moment(given)
      FROM unnest(orders, steps, all_attempts, lanes, gateways, kinds, streams, ranks, causes, requests) AS new
    ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION alarm_gone(kinds text[], streams text[], ranks smallint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  DELETE FROM alarm USING unnest(kinds, streams, ranks) AS old (kind, stream, rank)
    WHERE alarm.kind = old.kind AND alarm.stream = old.stream AND alarm.rank = old.rank;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

CREATE FUNCTION event_new(lanes integer[], positions bigint[], parts integer[], kinds text[], streams text[], ranks smallint[],
    afters bigint[], versions bigint[], times bigint[], schemas integer[], fixed_ats bigint[], deadlines text[], hashes bytea[],
    states bytea[], all_events bytea[], fixed_parts bytea[])
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO event (lane, position, part, kind, stream, rank, after, version, time, schema, fixed_at, deadline, hash, state, events, fixed)
    SELECT * FROM unnest(lanes, positions, parts, kinds, streams, ranks, afters, versions, times, schemas, fixed_ats, deadlines, hashes,
      states, all_events, fixed_parts);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;

-- Sees to it that changed deadlines are looked at in time. A look that is early enough already is left as it is: it will find the newer
-- deadline and move on.
CREATE FUNCTION alarm_set(kinds text[], streams text[], ranks smallint[], hearers integer[], delays bigint[], sets bigint[],
    starts boolean[], all_keys text[], given bigint)
  RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  INSERT INTO alarm (kind, stream, rank, hearer, look, set_at, started, fired, key)
    SELECT kind, stream, rank, hearer, moment(given) + delay, set_at, started, 0, key
      FROM unnest(kinds, streams, ranks, hearers, delays, sets, starts, all_keys)
        AS new (kind, stream, rank, hearer, delay, set_at, started, key)
    ON CONFLICT (kind, stream, rank) DO UPDATE SET hearer = excluded.hearer, look = excluded.look, set_at = excluded.set_at,
      started = excluded.started, fired = CASE WHEN alarm.set_at = excluded.set_at THEN alarm.fired + 1 ELSE 0 END, key = excluded.key
      WHERE alarm.set_at = excluded.set_at OR alarm.hearer <> excluded.hearer OR alarm.look > excluded.look
        OR alarm.key IS DISTINCT FROM excluded.key;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END $$;
