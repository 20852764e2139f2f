-- The tables of a version 1 ledger, as its release made them. Not to be changed: such files exist.
CREATE TABLE alias (
	tenant TEXT NOT NULL,
	kind TEXT NOT NULL,
	old_key TEXT NOT NULL,
	source_key TEXT NOT NULL,
	PRIMARY KEY (tenant, kind, old_key)
);
CREATE TABLE intent (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	tenant TEXT NOT NULL,
	kind TEXT NOT NULL,
	source_key TEXT NOT NULL,
	revision INTEGER NOT NULL,
	op TEXT NOT NULL,
	uniq INTEGER NOT NULL,
	marker TEXT NOT NULL,
	document TEXT NOT NULL,
	content_hash TEXT NOT NULL,
	label TEXT DEFAULT '' NOT NULL,
	url TEXT DEFAULT '' NOT NULL,
	currency TEXT DEFAULT '' NOT NULL,
	amount_minor BIGINT,
	xero_amount_minor BIGINT,
	xero_total_minor BIGINT,
	state TEXT NOT NULL,
	attempt INTEGER DEFAULT '0' NOT NULL,
	sent_op TEXT,
	last_sent_ms BIGINT,
	looked_ms BIGINT,
	"conflict" INTEGER DEFAULT '0' NOT NULL,
	batch_max INTEGER NOT NULL,
	remote_id TEXT,
	note TEXT DEFAULT '' NOT NULL,
	refusals TEXT DEFAULT '[]' NOT NULL,
	planned_epoch BIGINT NOT NULL,
	settled_epoch BIGINT,
	held_epoch BIGINT DEFAULT '0' NOT NULL,
	waits INTEGER DEFAULT '0' NOT NULL,
	CONSTRAINT intent_state CHECK (state IN ('planned','sent','unknown','done','rejected','parked','superseded')),
	CONSTRAINT intent_op CHECK (op IN ('save','withdraw')),
	CONSTRAINT intent_sent_op CHECK (sent_op IN ('create','update','delete')),
	CONSTRAINT intent_done_settled CHECK (state <> 'done' OR settled_epoch IS NOT NULL),
	CONSTRAINT intent_sent_when CHECK (state NOT IN ('sent','unknown') OR last_sent_ms IS NOT NULL),
	CONSTRAINT intent_reason CHECK (state NOT IN ('rejected','parked') OR note <> ''),
	CONSTRAINT intent_revision UNIQUE (tenant, kind, source_key, revision)
);
CREATE INDEX intent_in_doubt ON intent (tenant, kind, id) WHERE state IN ('sent','unknown');
CREATE INDEX intent_open ON intent (tenant, kind, source_key) WHERE state NOT IN ('done','superseded');
CREATE INDEX intent_ready ON intent (tenant, kind, id) WHERE state = 'planned';
CREATE INDEX intent_remote ON intent (tenant, kind, remote_id);
CREATE INDEX intent_settled ON intent (tenant, settled_epoch);
CREATE TABLE listing (
	tenant TEXT NOT NULL,
	kind TEXT NOT NULL,
	asked_ms BIGINT NOT NULL,
	PRIMARY KEY (tenant, kind)
);
CREATE TABLE meta (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE run (
	epoch INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	tenant TEXT NOT NULL,
	started_ms BIGINT NOT NULL,
	ended_ms BIGINT,
	summary TEXT
);
CREATE TABLE seen (
	tenant TEXT NOT NULL,
	kind TEXT NOT NULL,
	remote_id TEXT NOT NULL,
	handle TEXT DEFAULT '' NOT NULL,
	name_key TEXT DEFAULT '' NOT NULL,
	facts TEXT NOT NULL,
	PRIMARY KEY (tenant, kind, remote_id)
);
CREATE INDEX seen_handle ON seen (tenant, kind, handle);
CREATE INDEX seen_name ON seen (tenant, kind, name_key);
CREATE TABLE tenant (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	base_currency TEXT NOT NULL,
	is_demo INTEGER NOT NULL,
	pinned_ms BIGINT NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE link (
	tenant TEXT NOT NULL,
	kind TEXT NOT NULL,
	source_key TEXT NOT NULL,
	remote_id TEXT NOT NULL,
	content_hash TEXT NOT NULL,
	intent_id INTEGER,
	marker TEXT NOT NULL,
	number TEXT DEFAULT '' NOT NULL,
	status TEXT DEFAULT '' NOT NULL,
	status_epoch BIGINT DEFAULT '0' NOT NULL,
	lines TEXT DEFAULT '{}' NOT NULL,
	adopted INTEGER DEFAULT '0' NOT NULL,
	quiet_until_ms BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (tenant, kind, source_key),
	CONSTRAINT link_remote UNIQUE (tenant, kind, remote_id),
	FOREIGN KEY(intent_id) REFERENCES intent (id)
);
CREATE INDEX link_marker ON link (tenant, kind, marker);
CREATE TABLE need (
	intent_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	source_key TEXT NOT NULL,
	PRIMARY KEY (intent_id, kind, source_key),
	FOREIGN KEY(intent_id) REFERENCES intent (id)
);
CREATE INDEX need_of ON need (kind, source_key);
