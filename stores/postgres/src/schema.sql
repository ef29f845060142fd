-- Schema 1. Ids are compared byte by byte, in the order that the core has.
CREATE TABLE meta (one boolean PRIMARY KEY DEFAULT true CHECK (one), schema integer NOT NULL, lanes integer NOT NULL,
  revision bigint NOT NULL, generation bigint NOT NULL DEFAULT 0) WITH (fillfactor = 20);
-- Every lane that ever sent or heard. The version grows with each turn of the lane, and is what a turn is held against when it commits;
-- the events are how many rows its turns have written.
CREATE TABLE lane (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, grp text COLLATE "C" NOT NULL, lane integer NOT NULL,
  version bigint NOT NULL DEFAULT 0, next bigint NOT NULL DEFAULT 1, events bigint NOT NULL DEFAULT 0,
  UNIQUE (grp, lane)) WITH (fillfactor = 10);
CREATE TABLE lease (lane integer PRIMARY KEY, owner bytea, epoch bigint NOT NULL, until bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE owner (id bytea PRIMARY KEY, until bigint NOT NULL, groups text[] NOT NULL) WITH (fillfactor = 20);
CREATE TABLE removed (grp text COLLATE "C" PRIMARY KEY);
CREATE TABLE sent (lane integer PRIMARY KEY, position bigint NOT NULL) WITH (fillfactor = 10);
-- Who hears what; a row without a topic says that the group is known.
CREATE TABLE hears (grp text COLLATE "C" NOT NULL, topic text COLLATE "C" NOT NULL, PRIMARY KEY (grp, topic));
-- Append-only: the events of one turn and stream, and the state after them. The newest row is the stream as it is now. Two turns
-- that go on from the same version meet in the unique index, which is why it has the version before.
CREATE TABLE event (lane integer NOT NULL, position bigint NOT NULL, part integer NOT NULL, kind text COLLATE "C" NOT NULL,
  rank smallint NOT NULL, stream text COLLATE "C" NOT NULL, after bigint NOT NULL, version bigint NOT NULL, time bigint NOT NULL,
  schema integer NOT NULL, fixed_at bigint, deadline text, hash bytea NOT NULL, state bytea NOT NULL, events bytea NOT NULL,
  fixed bytea, PRIMARY KEY (lane, position, part), UNIQUE (kind, stream, rank, after));
-- What a lane is owed: a row for each hearer, with the pack's own bytes. The pack is the sender's lane above 40 bits of position. One
-- byte of marks for each place: 0 left, 1 parked, 2 buried, 3 gone; none while all are left. Open means that a place is left. The digest
-- stands for the bytes where what a broker brought is compared with them.
CREATE TABLE owed (hearer integer NOT NULL, pack bigint NOT NULL, topic text COLLATE "C" NOT NULL, since bigint NOT NULL,
  open boolean NOT NULL DEFAULT true, marks bytea, keys bytea NOT NULL, digest bytea NOT NULL, bytes bytea NOT NULL,
  PRIMARY KEY (hearer, pack))
  WITH (fillfactor = 90);
CREATE INDEX owed_pack ON owed (pack);
-- The key only where it is not the stream's id.
CREATE TABLE alarm (kind text COLLATE "C" NOT NULL, stream text COLLATE "C" NOT NULL, rank smallint NOT NULL, hearer integer NOT NULL,
  look bigint NOT NULL, set_at bigint NOT NULL, started boolean NOT NULL, fired bigint NOT NULL, key text COLLATE "C",
  PRIMARY KEY (kind, stream, rank)) WITH (fillfactor = 70);
CREATE INDEX alarm_look ON alarm (hearer, look);
CREATE INDEX alarm_key ON alarm (key) WHERE key IS NOT NULL;
CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY, ord text COLLATE "C" NOT NULL, step text COLLATE "C" NOT NULL,
  attempt integer NOT NULL, lane integer NOT NULL, gateway text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL, rank smallint NOT NULL, cause bytea NOT NULL, request bytea NOT NULL, look bigint NOT NULL,
  heard bytea, calls integer NOT NULL DEFAULT 0, PRIMARY KEY (ord, step, attempt)) WITH (fillfactor = 80);
CREATE INDEX effect_look ON effect (lane, gateway, look);
CREATE TABLE parked (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hearer integer NOT NULL, key text COLLATE "C" NOT NULL,
  pack bigint, place integer, error text NOT NULL, attempts integer NOT NULL, next bigint, letter bigint, message bytea NOT NULL);
CREATE INDEX parked_key ON parked (hearer, key, seq);
CREATE TABLE dead (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hearer integer NOT NULL, kind text COLLATE "C" NOT NULL,
  pack bigint, place integer, error text NOT NULL, attempts integer NOT NULL, time bigint NOT NULL, state smallint NOT NULL,
  message bytea NOT NULL);
CREATE INDEX dead_redriven ON dead (hearer) WHERE state = 1;
-- Read models. The stage is 0 while it is built, 1 while it is shown, 2 when it is gone.
CREATE TABLE generation (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, model text COLLATE "C" NOT NULL, number bigint NOT NULL,
  stage smallint NOT NULL, shape bigint NOT NULL, saves bigint NOT NULL, UNIQUE (model, number)) WITH (fillfactor = 50);
CREATE TABLE model_cursor (generation bigint NOT NULL, grp text COLLATE "C" NOT NULL, lane integer NOT NULL, position bigint NOT NULL,
  PRIMARY KEY (generation, grp, lane)) WITH (fillfactor = 50);
CREATE TABLE model_row (generation bigint NOT NULL, key text COLLATE "C" NOT NULL, body bytea NOT NULL, mark0 text COLLATE "C",
  mark1 text COLLATE "C", mark2 text COLLATE "C", PRIMARY KEY (generation, key)) WITH (fillfactor = 70);
CREATE INDEX model_mark0 ON model_row (generation, mark0) WHERE mark0 IS NOT NULL;
CREATE INDEX model_mark1 ON model_row (generation, mark1) WHERE mark1 IS NOT NULL;
CREATE INDEX model_mark2 ON model_row (generation, mark2) WHERE mark2 IS NOT NULL;

-- Time in microseconds: the database's, unless another is given.
CREATE FUNCTION moment(given bigint) RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE AS
  $$ SELECT coalesce(given, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) $$;

-- The second line behind rights: what happened stays as it was written.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are only ever added: no row of them is changed or removed' USING ERRCODE = 'OM002';
END $$;
CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_stay BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
