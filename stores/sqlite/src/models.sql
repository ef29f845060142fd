-- Read models. The stage is 0 while it is built, 1 while it is shown, 2 when it is gone. Made by every release that knows them, in files of older ones too, which leave them alone.
CREATE TABLE IF NOT EXISTS generation (id INTEGER PRIMARY KEY, model TEXT NOT NULL, number INTEGER NOT NULL,
  stage INTEGER NOT NULL, shape INTEGER NOT NULL, saves INTEGER NOT NULL, UNIQUE (model, number));
CREATE TABLE IF NOT EXISTS model_cursor (generation INTEGER NOT NULL, grp TEXT NOT NULL, lane INTEGER NOT NULL,
  position INTEGER NOT NULL, PRIMARY KEY (generation, grp, lane)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS model_row (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, key TEXT NOT NULL,
  body BLOB NOT NULL, mark0 TEXT, mark1 TEXT, mark2 TEXT, UNIQUE (generation, key));
CREATE INDEX IF NOT EXISTS model_mark0 ON model_row (generation, mark0) WHERE mark0 IS NOT NULL;
CREATE INDEX IF NOT EXISTS model_mark1 ON model_row (generation, mark1) WHERE mark1 IS NOT NULL;
CREATE INDEX IF NOT EXISTS model_mark2 ON model_row (generation, mark2) WHERE mark2 IS NOT NULL;
