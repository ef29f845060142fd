CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- Every lane that ever sent or heard; positions are reserved in blocks.
CREATE TABLE lane (id INTEGER PRIMARY KEY, grp TEXT NOT NULL, lane INTEGER NOT NULL,
  reserved INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, UNIQUE (grp, lane));
-- Who hears what; a row without a topic says that the group is known.
CREATE TABLE hears (grp TEXT NOT NULL, topic TEXT NOT NULL, PRIMARY KEY (grp, topic)) WITHOUT ROWID;
-- Append-only: the events of one turn and stream, and the state after them. The newest row is the stream as it is now.
CREATE TABLE event (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, rank INTEGER NOT NULL, stream TEXT NOT NULL,
  version INTEGER NOT NULL, lane INTEGER NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
  schema INTEGER NOT NULL, fixed_at INTEGER, deadline TEXT, state BLOB, events BLOB NOT NULL, fixed BLOB);
CREATE UNIQUE INDEX event_stream ON event (kind, stream, rank, version DESC);
CREATE INDEX event_log ON event (lane, position);
-- The id is the sender's lane above 40 bits of position. A pack that only one lane hears is its own owed row: most are,
-- and go with one delete.
CREATE TABLE pack (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, lane INTEGER NOT NULL, hearer INTEGER,
  since INTEGER NOT NULL, marks BLOB, keys BLOB NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX pack_hearer ON pack (hearer) WHERE hearer IS NOT NULL;
-- What several lanes hear. One byte of marks for each place: 0 left, 1 parked, 2 buried, 3 gone; none while all are left.
CREATE TABLE shared (hearer INTEGER NOT NULL, pack INTEGER NOT NULL, topic TEXT NOT NULL, since INTEGER NOT NULL,
  size INTEGER NOT NULL, count INTEGER NOT NULL, marks BLOB, PRIMARY KEY (hearer, pack)) WITHOUT ROWID;
-- Everything that is owed. The casts give both halves one affinity, without which they are read whole.
CREATE VIEW owed AS
  SELECT hearer, pack, topic, since, size, count, marks FROM shared
  UNION ALL
  SELECT hearer, id AS pack, topic, since, CAST(length(bytes) AS INTEGER) AS size,
    CAST(length(keys) / 4 AS INTEGER) AS count, marks FROM pack WHERE hearer IS NOT NULL;
-- The key only where it is not the stream's id.
CREATE TABLE alarm (kind TEXT NOT NULL, stream TEXT NOT NULL, rank INTEGER NOT NULL, hearer INTEGER NOT NULL,
  look INTEGER NOT NULL, set_at INTEGER NOT NULL, started INTEGER NOT NULL, fired INTEGER NOT NULL, key TEXT,
  PRIMARY KEY (kind, stream, rank)) WITHOUT ROWID;
CREATE INDEX alarm_look ON alarm (look);
CREATE INDEX alarm_key ON alarm (key) WHERE key IS NOT NULL;
-- A wish has a time from which it is looked at again once it was let go of, and when only the file knows it. One without is
-- new or claimed, and known by heart.
CREATE TABLE effect (id INTEGER PRIMARY KEY AUTOINCREMENT, ord TEXT NOT NULL, step TEXT NOT NULL,
  attempt INTEGER NOT NULL, lane INTEGER NOT NULL, gateway TEXT NOT NULL, kind TEXT NOT NULL, stream TEXT NOT NULL,
  rank INTEGER NOT NULL, cause BLOB NOT NULL, request BLOB NOT NULL, look INTEGER, heard BLOB,
  calls INTEGER NOT NULL DEFAULT 0, UNIQUE (ord, step, attempt));
CREATE INDEX effect_look ON effect (lane, gateway, look) WHERE look IS NOT NULL;
CREATE TABLE parked (seq INTEGER PRIMARY KEY AUTOINCREMENT, hearer INTEGER NOT NULL, key TEXT NOT NULL,
  pack INTEGER, place INTEGER, error TEXT NOT NULL, attempts INTEGER NOT NULL, next INTEGER, letter INTEGER, message BLOB NOT NULL);
CREATE INDEX parked_key ON parked (hearer, key, seq);
CREATE TABLE dead (number INTEGER PRIMARY KEY AUTOINCREMENT, hearer INTEGER NOT NULL, kind TEXT NOT NULL,
  pack INTEGER, place INTEGER, error TEXT NOT NULL, attempts INTEGER NOT NULL, time INTEGER NOT NULL,
  state INTEGER NOT NULL, message BLOB NOT NULL);
CREATE INDEX dead_redriven ON dead (hearer) WHERE state = 1;
