CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE audit_entry (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  organisation TEXT    NOT NULL, -- '' is the platform
  actor_kind   TEXT    NOT NULL,
  actor        TEXT    NOT NULL,
  actor_user   TEXT    NOT NULL,
  actor_login  TEXT    NOT NULL,
  actor_from   TEXT    NOT NULL,
  act          TEXT    NOT NULL,
  object       TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  seal         BLOB,
  sealed_at    INTEGER
, area TEXT NOT NULL GENERATED ALWAYS AS (substr(act, 1, instr(act || '.', '.') - 1)) VIRTUAL);
CREATE TRIGGER audit_entry_seal_stays
BEFORE UPDATE OF seal, sealed_at ON audit_entry
WHEN OLD.seal IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the seal of an audit entry is never changed');
END;
CREATE TABLE keyring_root (
  one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  fingerprint TEXT    NOT NULL, -- of the root key, which is not here
  created_at  INTEGER NOT NULL
);
CREATE TABLE keyring_tenant (
  organisation TEXT    NOT NULL PRIMARY KEY,
  wrapped      BLOB    NOT NULL, -- by the root key
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE keyring_product (
  product      TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  wrapped      BLOB    NOT NULL, -- by the key of the organisation
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX keyring_product_organisation ON keyring_product (organisation);
CREATE TABLE once_answer (
  actor      TEXT    NOT NULL, -- kind and id
  key        TEXT    NOT NULL, -- Idempotency-Key as it was sent
  request    BLOB    NOT NULL, -- SHA-256 of the request
  claim      TEXT    NOT NULL, -- who of several with this key carries it out
  state      TEXT    NOT NULL, -- claimed, done, answered
  status     INTEGER NOT NULL,
  answer     BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) WITHOUT ROWID;
CREATE INDEX once_answer_created ON once_answer (created_at);
CREATE TABLE job (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  object       TEXT    NOT NULL, -- what it works on
  state        TEXT    NOT NULL, -- queued, running, done, failed, cancelled
  input        BLOB    NOT NULL,
  done         INTEGER NOT NULL,
  total        INTEGER NOT NULL,
  result       BLOB,
  error        TEXT    NOT NULL,
  cancel       INTEGER NOT NULL, -- 1: somebody asked it to stop
  attempts     INTEGER NOT NULL,
  actor_kind   TEXT    NOT NULL,
  actor        TEXT    NOT NULL,
  actor_user   TEXT    NOT NULL,
  actor_login  TEXT    NOT NULL,
  actor_from   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- not before
  started_at   INTEGER,
  ended_at     INTEGER
);
CREATE UNIQUE INDEX job_id ON job (id);
CREATE INDEX job_organisation ON job (organisation, seq);
CREATE INDEX job_open ON job (state, due_at) WHERE ended_at IS NULL;
CREATE TABLE account_user (
  id            TEXT    NOT NULL PRIMARY KEY,
  login         TEXT    NOT NULL,           -- as the person writes it
  login_key     TEXT    NOT NULL,           -- folded; no two users share one
  email         TEXT    NOT NULL,           -- may be empty
  password      TEXT    NOT NULL,           -- argon2id, PHC string form
  platform_role TEXT    NOT NULL,           -- empty, or admin
  state         TEXT    NOT NULL,           -- active, disabled
  created_at    INTEGER NOT NULL,
  password_at   INTEGER NOT NULL            -- when the password was last set
, laboratory TEXT NOT NULL DEFAULT '', minor INTEGER NOT NULL DEFAULT 0, lang TEXT NOT NULL DEFAULT '', mail_notices INTEGER NOT NULL DEFAULT 1, adult_in TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX account_user_login ON account_user (login_key);
CREATE INDEX account_user_platform ON account_user (platform_role) WHERE platform_role <> '';
CREATE TABLE organisation (
  id         TEXT    NOT NULL PRIMARY KEY,
  names      TEXT    NOT NULL,              -- JSON object: language to name
  kinds      TEXT    NOT NULL,              -- JSON array of the five developer kinds
  created_at INTEGER NOT NULL
, form TEXT NOT NULL DEFAULT 'company', revision INTEGER NOT NULL DEFAULT 1);
CREATE TABLE member (
  organisation TEXT    NOT NULL,
  user_id      TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 1, login_key TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (organisation, user_id)
) WITHOUT ROWID;
CREATE INDEX member_user ON member (user_id, created_at);
CREATE TABLE login_session (
  id           TEXT    NOT NULL PRIMARY KEY,
  hash         BLOB    NOT NULL,            -- SHA-256 of the token the person holds
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- acted for; empty for an operator or a user without one
  token        TEXT    NOT NULL,            -- the API token it was opened with, empty for a login
  address      TEXT    NOT NULL,            -- it was opened from
  created_at   INTEGER NOT NULL,
  used_at      INTEGER NOT NULL             -- exact to a minute
, strong INTEGER NOT NULL DEFAULT 0, proved_at INTEGER NOT NULL DEFAULT 0, agent TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX login_session_hash ON login_session (hash);
CREATE INDEX login_session_user ON login_session (user_id, created_at);
CREATE INDEX login_session_used ON login_session (used_at);
CREATE TABLE api_token (
  id           TEXT    NOT NULL PRIMARY KEY,
  prefix       TEXT    NOT NULL,            -- public part, to find it by
  hash         BLOB    NOT NULL,            -- SHA-256 of the whole token
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- empty: acts for the platform
  name         TEXT    NOT NULL,
  scopes       TEXT,                        -- JSON array of acts; NULL: all of the role
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER,                     -- exact to a minute
  used_from    TEXT    NOT NULL,
  revoked_at   INTEGER
, strong INTEGER NOT NULL DEFAULT 0, counted INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX api_token_hash ON api_token (hash);
CREATE UNIQUE INDEX api_token_prefix ON api_token (prefix);
CREATE INDEX api_token_user ON api_token (user_id, id);
CREATE TABLE product (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product_id   INTEGER NOT NULL,           -- ProductID, 32 bits, never used twice
  product_key  TEXT    NOT NULL,           -- ProductKey
  category     TEXT    NOT NULL,
  names        TEXT    NOT NULL,           -- JSON object: language to name
  search       TEXT    NOT NULL,           -- names, key and number in lower case
  version      INTEGER NOT NULL,           -- of the thing model in force; 0: none yet
  created_at   INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL
, kind TEXT NOT NULL DEFAULT 'terminal', state TEXT NOT NULL DEFAULT 'debug', offered INTEGER NOT NULL DEFAULT 0, built_on TEXT NOT NULL DEFAULT '', solution TEXT NOT NULL DEFAULT '', protocols TEXT NOT NULL DEFAULT '[]', care TEXT NOT NULL DEFAULT '{}', icon TEXT NOT NULL DEFAULT '', icon_media TEXT NOT NULL DEFAULT '', flagged INTEGER NOT NULL DEFAULT 0, flag TEXT NOT NULL DEFAULT '', flagged_at INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 1, icon_size INTEGER NOT NULL DEFAULT 0, gateway INTEGER NOT NULL DEFAULT 0, registration INTEGER NOT NULL DEFAULT 0, secret_generation INTEGER NOT NULL DEFAULT 1, voice INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX product_number ON product (product_id);
CREATE UNIQUE INDEX product_key ON product (product_key);
CREATE INDEX product_organisation ON product (organisation, id);
CREATE TABLE product_draft (
  product    TEXT    NOT NULL PRIMARY KEY,
  revision   INTEGER NOT NULL,             -- grows with each save, also over a publication
  document   TEXT    NOT NULL,             -- JSON, not necessarily a good thing model yet
  changed_at INTEGER NOT NULL
);
CREATE TABLE product_model (
  product      TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  document     TEXT    NOT NULL,           -- TSL
  note         TEXT    NOT NULL,
  breaking     INTEGER NOT NULL,           -- 1: something of the version before is refused or read differently
  published_at INTEGER NOT NULL,
  published_by TEXT    NOT NULL,           -- login of the person, empty for the platform
  PRIMARY KEY (product, version)
) WITHOUT ROWID;
CREATE TABLE mac_pool (
  id         TEXT    NOT NULL PRIMARY KEY,
  name       TEXT    NOT NULL,
  origin     TEXT    NOT NULL, -- operator, or default: made by the program while the operator has none
  first      INTEGER NOT NULL,
  last       INTEGER NOT NULL,
  next       INTEGER NOT NULL, -- the lowest address that no order has; last + 1 when used up
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX mac_pool_first ON mac_pool (first);
CREATE TABLE issuance_order (
  id            TEXT    NOT NULL PRIMARY KEY,
  organisation  TEXT    NOT NULL,
  product       TEXT    NOT NULL,
  quantity      INTEGER NOT NULL,
  purpose       TEXT    NOT NULL, -- debug, mass
  note          TEXT    NOT NULL,
  state         TEXT    NOT NULL, -- requested, issuing, issued, failed, cancelled
  reason        TEXT    NOT NULL, -- why it failed or was cancelled
  done          INTEGER NOT NULL, -- triples registered so far
  generation    INTEGER NOT NULL, -- of the secrets
  job           TEXT    NOT NULL, -- that issues it; empty before
  requested_by  TEXT    NOT NULL, -- user, or the name of a part of the program
  created_at    INTEGER NOT NULL,
  ended_at      INTEGER,          -- issued, failed or cancelled
  downloaded_at INTEGER           -- the workbook was written to its end
, factory_name TEXT NOT NULL DEFAULT '', factory_address TEXT NOT NULL DEFAULT '', factory_contact TEXT NOT NULL DEFAULT '', planned_at INTEGER, list INTEGER NOT NULL DEFAULT 0, list_from INTEGER NOT NULL DEFAULT 0, decided_by TEXT NOT NULL DEFAULT '', decided_at INTEGER);
CREATE INDEX issuance_order_organisation ON issuance_order (organisation, id);
CREATE INDEX issuance_order_open ON issuance_order (organisation) WHERE ended_at IS NULL;
CREATE TABLE issuance_range (
  batch TEXT    NOT NULL, -- the order
  seq   INTEGER NOT NULL, -- from 0
  pool  TEXT    NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (batch, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX issuance_range_last ON issuance_range (pool, last);
CREATE TABLE device (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  name         TEXT    NOT NULL, -- DeviceName: the MAC in lower-case hex
  batch        TEXT    NOT NULL, -- the order it was issued by
  generation   INTEGER NOT NULL, -- of the DeviceSecret
  state        TEXT    NOT NULL, -- enabled, disabled
  created_at   INTEGER NOT NULL,
  activated_at INTEGER           -- first session
, reset_at INTEGER);
CREATE UNIQUE INDEX device_name ON device (product, name);
CREATE INDEX device_organisation ON device (organisation, id);
CREATE INDEX device_batch ON device (batch, id);
CREATE TABLE device_presence (
  device     TEXT    NOT NULL PRIMARY KEY,
  online     INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  changed_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
, organisation TEXT NOT NULL DEFAULT '', product TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX device_presence_online ON device_presence (online, device);
CREATE TABLE device_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE device_change (
  seq    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device TEXT    NOT NULL,
  at     INTEGER NOT NULL
);
CREATE TABLE device_run (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  run INTEGER NOT NULL
);
CREATE TABLE shadow (
  device     TEXT    NOT NULL PRIMARY KEY,
  version    INTEGER NOT NULL,
  reported   BLOB    NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE shadow_desired (
  device     TEXT    NOT NULL,
  property   TEXT    NOT NULL,
  value      TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (device, property)
) WITHOUT ROWID;
CREATE TABLE shadow_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE command (
  seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the id on the wire
  id              TEXT    NOT NULL,
  organisation    TEXT    NOT NULL,
  device          TEXT    NOT NULL,
  kind            TEXT    NOT NULL, -- property_set, service
  service         TEXT    NOT NULL,
  params          TEXT    NOT NULL,
  state           TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  note            TEXT    NOT NULL, -- what the device said of a refusal
  result          TEXT    NOT NULL,
  origin          TEXT    NOT NULL,
  ref             TEXT    NOT NULL,
  actor_kind      TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  actor_from      TEXT    NOT NULL,
  epoch           INTEGER NOT NULL, -- of the session that got it, 0 before
  created_at      INTEGER NOT NULL,
  deadline_at     INTEGER NOT NULL,
  sent_at         INTEGER,
  acknowledged_at INTEGER,
  ended_at        INTEGER
, fetched INTEGER NOT NULL DEFAULT 0, call TEXT NOT NULL DEFAULT '', qos INTEGER NOT NULL DEFAULT 1, home TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX command_id ON command (id);
CREATE INDEX command_device ON command (device, seq);
CREATE INDEX command_open ON command (device, seq) WHERE ended_at IS NULL;
CREATE INDEX command_deadline ON command (deadline_at) WHERE ended_at IS NULL;
CREATE TABLE command_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX command_open_seq ON command (seq) WHERE ended_at IS NULL;
CREATE TABLE home (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  names        TEXT    NOT NULL, -- JSON object: language to name
  version      INTEGER NOT NULL, -- grows by one with each change of the home, its rooms and its devices
  created_at   INTEGER NOT NULL
, time_zone TEXT NOT NULL DEFAULT '', latitude_e6 INTEGER, longitude_e6 INTEGER);
CREATE INDEX home_organisation ON home (organisation, id);
CREATE TABLE home_room (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  names      TEXT    NOT NULL, -- JSON object: language to name
  aliases    TEXT    NOT NULL, -- JSON object: language to array of names
  created_at INTEGER NOT NULL
, floor TEXT NOT NULL DEFAULT '{}');
CREATE INDEX home_room_home ON home_room (home, id);
CREATE TABLE home_device (
  device   TEXT    NOT NULL PRIMARY KEY,
  home     TEXT    NOT NULL,
  room     TEXT    NOT NULL, -- empty: in the home, in no room
  names    TEXT    NOT NULL,
  aliases  TEXT    NOT NULL,
  bound_at INTEGER NOT NULL
, hidden INTEGER NOT NULL DEFAULT 0);
CREATE INDEX home_device_home ON home_device (home, device);
CREATE TABLE audit_person (
  reference    TEXT    NOT NULL PRIMARY KEY,
  person       TEXT    NOT NULL, -- user id
  organisation TEXT    NOT NULL, -- one reference in each, so that entries of two cannot be put together
  login        TEXT    NOT NULL, -- the newest one
  salt         BLOB,             -- NULL: made for an entry that was there before this table
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX audit_person_person ON audit_person (person, organisation);
CREATE TABLE audit_address (
  reference    TEXT    NOT NULL PRIMARY KEY,
  address      TEXT    NOT NULL,
  person       TEXT    NOT NULL, -- who came from there; '': a device
  organisation TEXT    NOT NULL,
  salt         BLOB,
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX audit_address_person ON audit_address (person, organisation, address);
CREATE TRIGGER audit_entry_stays
BEFORE UPDATE OF seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note
ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'an audit entry is never changed');
END;
CREATE INDEX audit_entry_at ON audit_entry (at, seq);
CREATE INDEX audit_entry_organisation_at ON audit_entry (organisation, at, seq);
CREATE INDEX audit_entry_actor_at ON audit_entry (organisation, actor, at, seq);
CREATE INDEX audit_entry_person_at ON audit_entry (organisation, actor_user, at, seq);
CREATE INDEX audit_entry_act_at ON audit_entry (organisation, act, at, seq);
CREATE INDEX audit_entry_area_at ON audit_entry (organisation, area, at, seq);
CREATE INDEX audit_entry_object_at ON audit_entry (object, at, seq);
CREATE TABLE audit_checkpoint (
  number         INTEGER NOT NULL PRIMARY KEY, -- 1, 2, 3 …
  seq            INTEGER NOT NULL,             -- of the newest entry it covers
  seal           BLOB    NOT NULL,             -- of that entry
  entries        INTEGER NOT NULL,             -- how many were ever sealed up to it
  at             INTEGER NOT NULL,
  previous       BLOB    NOT NULL,             -- SHA-256 of the checkpoint before
  signature      BLOB    NOT NULL,             -- Ed25519
  root_signature BLOB                          -- set when what is before it was removed: it is the root of the chain
);
CREATE TRIGGER audit_checkpoint_stays
BEFORE UPDATE OF number, seq, seal, entries, at, previous, signature ON audit_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'an audit checkpoint is never changed');
END;
CREATE TABLE outbox_message (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,              -- mail, sms
  recipient  TEXT    NOT NULL,              -- address or number
  subject    TEXT    NOT NULL,              -- of a mail
  body       TEXT    NOT NULL,              -- empty once it was handed over, or given up
  organisation TEXT  NOT NULL,              -- on whose account; may be empty
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,              -- after that it is of no use any more
  due_at     INTEGER NOT NULL,              -- when to try next
  tries      INTEGER NOT NULL,
  state      TEXT    NOT NULL,              -- waiting, sent, dead
  ended_at   INTEGER NOT NULL,              -- 0 while it waits
  error      TEXT    NOT NULL               -- of the last try
, about TEXT NOT NULL DEFAULT '', share TEXT NOT NULL DEFAULT '', room TEXT NOT NULL DEFAULT 'account');
CREATE INDEX outbox_message_due ON outbox_message (kind, due_at) WHERE state = 'waiting';
CREATE INDEX outbox_message_recipient ON outbox_message (recipient, made_at);
CREATE INDEX outbox_message_ended ON outbox_message (ended_at) WHERE ended_at > 0;
CREATE INDEX outbox_message_organisation ON outbox_message (organisation, id);
CREATE INDEX outbox_message_about ON outbox_message (recipient, about, made_at) WHERE about <> '';
CREATE TABLE account_factor (
  user_id      TEXT    NOT NULL PRIMARY KEY,
  sealed       BLOB    NOT NULL,            -- the secret of the codes, in the keyring's box account.totp
  made_at      INTEGER NOT NULL,
  confirmed_at INTEGER NOT NULL,            -- 0: no code was shown yet, nothing depends on it
  last_step    INTEGER NOT NULL             -- of the newest code that was used: it and those before are used up
);
CREATE TABLE account_recovery (
  user_id TEXT    NOT NULL,
  hash    BLOB    NOT NULL,                 -- SHA-256 of a code of 80 bits
  used_at INTEGER NOT NULL,                 -- 0: not yet
  PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;
CREATE TABLE account_place (
  user_id TEXT    NOT NULL,
  place   TEXT    NOT NULL,                 -- IPv4 address or IPv6 /64 that the person signed in from
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, place)
) WITHOUT ROWID;
CREATE TABLE account_contact (
  kind        TEXT    NOT NULL,             -- mail, sms
  address     TEXT    NOT NULL,             -- folded; nobody else has it
  user_id     TEXT    NOT NULL,
  verified_at INTEGER NOT NULL,
  PRIMARY KEY (kind, address)
);
CREATE UNIQUE INDEX account_contact_user ON account_contact (user_id, kind);
CREATE TABLE account_code (
  id         TEXT    NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,              -- signup, reset, contact
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,              -- who may use it; empty: whoever has it
  hash       BLOB    NOT NULL,              -- SHA-256 of id and code
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  tries      INTEGER NOT NULL
, known INTEGER NOT NULL DEFAULT 0);
CREATE INDEX account_code_address ON account_code (kind, address, made_at);
CREATE INDEX account_code_expires ON account_code (expires_at);
CREATE TABLE account_invitation (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,            -- mail, sms, user
  address      TEXT    NOT NULL,            -- address, number or the user's id; emptied when it has ended
  role         TEXT    NOT NULL,
  hash         BLOB    NOT NULL,            -- SHA-256 of the code that was sent
  invited_by   TEXT    NOT NULL,
  made_at      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  state        TEXT    NOT NULL,            -- open, accepted, revoked
  ended_at     INTEGER NOT NULL             -- 0 while it is open
, receiver BLOB NOT NULL DEFAULT X'', revision INTEGER NOT NULL DEFAULT 1);
CREATE INDEX account_invitation_organisation ON account_invitation (organisation, id);
CREATE UNIQUE INDEX account_invitation_hash ON account_invitation (hash);
CREATE INDEX account_invitation_address ON account_invitation (kind, address, id);
CREATE INDEX api_token_counted ON api_token (organisation, expires_at) WHERE counted = 1;
CREATE TABLE agreement (
  id         TEXT    NOT NULL PRIMARY KEY,
  precedence INTEGER NOT NULL,              -- the lower number prevails over the higher
  names      TEXT    NOT NULL,              -- JSON object: language to name
  prevails   TEXT    NOT NULL,              -- JSON object: language to the sentence that says which one prevails
  subject    TEXT    NOT NULL,              -- who has to accept: user, organisation, product
  kinds      TEXT    NOT NULL,              -- JSON array: organisations of these kinds only; [] is all
  categories TEXT    NOT NULL,              -- JSON array: products of these categories only; [] is all
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX agreement_precedence ON agreement (precedence, id);
CREATE TABLE agreement_version (
  id           TEXT    NOT NULL PRIMARY KEY,
  agreement    TEXT    NOT NULL,
  number       INTEGER NOT NULL,            -- 1, 2, 3 … of the agreement
  state        TEXT    NOT NULL,            -- draft, published, superseded, withdrawn
  created_at   INTEGER NOT NULL,
  published_at INTEGER NOT NULL,            -- 0 while a draft
  effective_at INTEGER NOT NULL,            -- 0 while a draft
  ended_at     INTEGER NOT NULL             -- superseded or withdrawn; 0 before
);
CREATE UNIQUE INDEX agreement_version_number ON agreement_version (agreement, number);
CREATE UNIQUE INDEX agreement_version_draft ON agreement_version (agreement) WHERE state = 'draft';
CREATE INDEX agreement_version_state ON agreement_version (state, effective_at);
CREATE TABLE agreement_text (
  version TEXT NOT NULL,
  lang    TEXT NOT NULL,
  body    TEXT NOT NULL,                    -- Markdown
  changes TEXT NOT NULL,                    -- summary of what differs from the version before
  hash    TEXT NOT NULL,                    -- SHA-256 of body, hexadecimal
  PRIMARY KEY (version, lang)
);
CREATE TRIGGER agreement_text_stays BEFORE UPDATE ON agreement_text
WHEN (SELECT state FROM agreement_version WHERE id = OLD.version) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published text is never changed');
END;
CREATE TRIGGER agreement_text_kept BEFORE DELETE ON agreement_text
WHEN (SELECT state FROM agreement_version WHERE id = OLD.version) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published text is never changed');
END;
CREATE TABLE agreement_person (
  reference  TEXT    NOT NULL PRIMARY KEY,
  user_id    TEXT    NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX agreement_person_user ON agreement_person (user_id);
CREATE TABLE agreement_acceptance (
  id           TEXT    NOT NULL PRIMARY KEY,
  person       TEXT    NOT NULL,            -- reference of who decided
  decision     TEXT    NOT NULL,            -- accepted, declined
  agreement    TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  lang         TEXT    NOT NULL,            -- the language that was read
  hash         TEXT    NOT NULL,            -- of the text that was read
  subject_kind TEXT    NOT NULL,            -- user, organisation, product
  subject      TEXT    NOT NULL,            -- reference of the person, id of the organisation or product
  organisation TEXT    NOT NULL,            -- in whose name; empty: the person's own
  channel      TEXT    NOT NULL,            -- session or token
  decided_at   INTEGER NOT NULL
);
CREATE INDEX agreement_acceptance_subject ON agreement_acceptance (subject_kind, subject, version);
CREATE INDEX agreement_acceptance_organisation ON agreement_acceptance (organisation, id);
CREATE INDEX agreement_acceptance_person ON agreement_acceptance (person, id);
CREATE INDEX agreement_acceptance_agreement ON agreement_acceptance (agreement, id);
CREATE INDEX agreement_acceptance_version ON agreement_acceptance (version, id);
CREATE TABLE agreement_origin (
  acceptance   TEXT NOT NULL PRIMARY KEY,
  person       TEXT NOT NULL,
  organisation TEXT NOT NULL,
  address      TEXT NOT NULL
);
CREATE INDEX agreement_origin_person ON agreement_origin (person);
CREATE INDEX agreement_origin_organisation ON agreement_origin (organisation);
CREATE TRIGGER agreement_acceptance_stays BEFORE UPDATE ON agreement_acceptance
BEGIN
  SELECT RAISE(ABORT, 'evidence is never changed');
END;
CREATE TRIGGER agreement_acceptance_kept BEFORE DELETE ON agreement_acceptance
BEGIN
  SELECT RAISE(ABORT, 'evidence is never changed');
END;
CREATE TABLE agreement_guardian (
  id           TEXT    NOT NULL PRIMARY KEY,
  user_id      TEXT    NOT NULL,
  state        TEXT    NOT NULL,            -- requested, confirmed, refused, withdrawn
  sealed       BLOB    NOT NULL,            -- name, relation, contact, and the code while one waits
  paper        TEXT    NOT NULL,            -- id of the blob, or empty
  confirmed_by TEXT    NOT NULL,            -- reviewer, code, or empty
  reason       TEXT    NOT NULL,            -- why it was refused or withdrawn
  tries        INTEGER NOT NULL,            -- wrong codes so far
  code_until   INTEGER NOT NULL,            -- 0: no code waits
  created_at   INTEGER NOT NULL,
  decided_at   INTEGER NOT NULL             -- 0: not yet
, ready INTEGER NOT NULL DEFAULT 0, needed_until INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 0);
CREATE INDEX agreement_guardian_user ON agreement_guardian (user_id, id);
CREATE INDEX agreement_guardian_state ON agreement_guardian (state, id);
CREATE UNIQUE INDEX agreement_guardian_open ON agreement_guardian (user_id) WHERE state IN ('requested', 'confirmed');
CREATE TABLE agreement_capacity (
  user_id        TEXT    NOT NULL PRIMARY KEY,
  needs_guardian INTEGER NOT NULL,          -- 0, 1
  declared_at    INTEGER NOT NULL
, adult_in TEXT NOT NULL DEFAULT '');
CREATE TABLE notice_announcement (
  id           TEXT    NOT NULL PRIMARY KEY,
  state        TEXT    NOT NULL,            -- draft, published, superseded, withdrawn
  severity     TEXT    NOT NULL,            -- info, warning, critical
  audience     TEXT    NOT NULL,            -- JSON object: everybody, kinds, organisations, services, roles
  supersedes   TEXT    NOT NULL,            -- id of the announcement it replaces, or empty
  created_at   INTEGER NOT NULL,
  published_at INTEGER NOT NULL,            -- shown from then on; 0 while a draft
  effective_at INTEGER NOT NULL,            -- what it announces happens then; 0: nothing happens
  ends_at      INTEGER NOT NULL,            -- not shown from then on, as its author wants it
  ended_at     INTEGER NOT NULL             -- superseded or withdrawn; 0 before
);
CREATE INDEX notice_announcement_state ON notice_announcement (state, id);
CREATE INDEX notice_announcement_shown ON notice_announcement (ends_at);
CREATE TABLE notice_text (
  announcement TEXT NOT NULL,
  lang         TEXT NOT NULL,
  title        TEXT NOT NULL,
  body         TEXT NOT NULL,               -- Markdown
  PRIMARY KEY (announcement, lang)
);
CREATE TABLE notice_message (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  user_id      TEXT    NOT NULL,            -- empty: everybody in the organisation
  kind         TEXT    NOT NULL,
  data         TEXT    NOT NULL,            -- JSON object of texts
  sent_at      INTEGER NOT NULL
);
CREATE INDEX notice_message_inbox ON notice_message (organisation, sent_at, id);
CREATE INDEX notice_message_sent ON notice_message (sent_at);
CREATE INDEX notice_message_user ON notice_message (user_id);
CREATE TABLE notice_receipt (
  notice       TEXT    NOT NULL,            -- announcement or message
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- the reader acted for; may be empty
  read_at      INTEGER NOT NULL,
  PRIMARY KEY (notice, user_id)
);
CREATE INDEX notice_receipt_user ON notice_receipt (user_id);
CREATE INDEX notice_receipt_organisation ON notice_receipt (organisation);
CREATE TRIGGER notice_text_stays BEFORE UPDATE ON notice_text
WHEN (SELECT state FROM notice_announcement WHERE id = OLD.announcement) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published announcement is never changed');
END;
CREATE TRIGGER notice_text_kept BEFORE DELETE ON notice_text
WHEN (SELECT state FROM notice_announcement WHERE id = OLD.announcement) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published announcement is never changed');
END;
CREATE TABLE entitlement_bar (
  id             TEXT    NOT NULL PRIMARY KEY,
  service        TEXT    NOT NULL,
  kind           TEXT    NOT NULL,          -- open, application, agreement, paid
  agreement      TEXT    NOT NULL,          -- id, where kind is agreement
  kinds          TEXT    NOT NULL,          -- JSON array: organisations of these kinds only; [] is all
  level          INTEGER NOT NULL,          -- of verification, at least
  qualifications TEXT    NOT NULL,          -- JSON array: all are needed
  announcement   TEXT    NOT NULL,          -- id, or empty where it needed none
  reason         TEXT    NOT NULL,
  effective_at   INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  cancelled_at   INTEGER NOT NULL           -- before it took effect; 0: not
);
CREATE INDEX entitlement_bar_service ON entitlement_bar (service, id);
CREATE TABLE entitlement_switch (
  id           TEXT    NOT NULL PRIMARY KEY,
  service      TEXT    NOT NULL,
  turned_on    INTEGER NOT NULL,            -- 0, 1
  emergency    INTEGER NOT NULL,            -- 0, 1: without announcement
  announcement TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  effective_at INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  cancelled_at INTEGER NOT NULL
);
CREATE INDEX entitlement_switch_service ON entitlement_switch (service, id);
CREATE TABLE entitlement_plan (
  id         TEXT    NOT NULL PRIMARY KEY,
  service    TEXT    NOT NULL,
  names      TEXT    NOT NULL,              -- JSON object: language to name
  period     TEXT    NOT NULL,              -- once, month, quarter, year
  amount     INTEGER NOT NULL,              -- of the smallest unit of the currency, a period
  currency   TEXT    NOT NULL,              -- ISO 4217
  includes   TEXT    NOT NULL,              -- JSON object: name of a limit to its value
  state      TEXT    NOT NULL,              -- offered, retired
  created_at INTEGER NOT NULL
);
CREATE INDEX entitlement_plan_service ON entitlement_plan (service, id);
CREATE TABLE entitlement_application (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  service      TEXT    NOT NULL,
  plan         TEXT    NOT NULL,            -- id, or empty
  purpose      TEXT    NOT NULL,
  state        TEXT    NOT NULL,            -- requested, granted, refused, withdrawn, ended
  reason       TEXT    NOT NULL,            -- of the last decision
  requested_by TEXT    NOT NULL,
  decided_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  decided_at   INTEGER NOT NULL,            -- 0: not yet
  until_at     INTEGER NOT NULL,            -- the grant ends then; 0: without an end
  ended_at     INTEGER NOT NULL             -- 0: it has not
);
CREATE INDEX entitlement_application_organisation ON entitlement_application (organisation, id);
CREATE INDEX entitlement_application_state ON entitlement_application (state, id);
CREATE INDEX entitlement_application_service ON entitlement_application (service, id);
CREATE UNIQUE INDEX entitlement_application_open ON entitlement_application (organisation, service) WHERE state IN ('requested', 'granted');
CREATE TABLE entitlement_override (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  service      TEXT    NOT NULL,
  allowed      INTEGER NOT NULL,            -- 0, 1
  reason       TEXT    NOT NULL,
  made_by      TEXT    NOT NULL,
  from_at      INTEGER NOT NULL,
  until_at     INTEGER NOT NULL,            -- 0: without an end
  created_at   INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL             -- before its time; 0: not
);
CREATE INDEX entitlement_override_organisation ON entitlement_override (organisation, id);
CREATE INDEX entitlement_override_service ON entitlement_override (service, id);
CREATE TABLE entitlement_limit (
  application TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  value       INTEGER NOT NULL,
  wanted      INTEGER NOT NULL,             -- 1: to be in force, 0: to be lifted
  override    TEXT    NOT NULL,             -- id in the other room, empty before it has one
  PRIMARY KEY (application, name)
);
CREATE INDEX entitlement_limit_todo ON entitlement_limit (wanted, override);
CREATE TABLE verify_case (
  organisation TEXT    NOT NULL PRIMARY KEY,
  version      INTEGER NOT NULL, -- grows with each change
  state        TEXT    NOT NULL, -- see moves.go
  form         TEXT    NOT NULL, -- of what was approved: organisation, person; empty: nothing was
  kinds        TEXT    NOT NULL, -- JSON array of the kinds that were approved
  submission   INTEGER NOT NULL, -- number of the newest; 0: none
  approved     INTEGER NOT NULL, -- number of the one that was approved last; 0: none
  submitted_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL, -- of what was approved; 0: never
  warned       INTEGER NOT NULL, -- days ahead of the last warning; 0: none yet
  due_at       INTEGER NOT NULL, -- by when what was asked for is to come; 0: nothing is asked for
  ask          TEXT    NOT NULL, -- JSON: what is asked for
  reviewer     TEXT    NOT NULL, -- user id of who works on it; may be empty
  claimed_at   INTEGER NOT NULL,
  revoked_by   TEXT    NOT NULL, -- user id
  draft        BLOB    NOT NULL, -- sealed: the form as it is being filled in; may be empty
  next_at      INTEGER NOT NULL, -- when the clock has something to do; 0: never
  updated_at   INTEGER NOT NULL
);
CREATE INDEX verify_case_next ON verify_case (next_at) WHERE next_at > 0;
CREATE TABLE verify_queue (
  kind         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  form         TEXT    NOT NULL,
  submitted_at INTEGER NOT NULL,
  due_at       INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  reviewer     TEXT    NOT NULL,
  PRIMARY KEY (kind, organisation)
) WITHOUT ROWID;
CREATE INDEX verify_queue_submitted ON verify_queue (kind, submitted_at, organisation);
CREATE INDEX verify_queue_state ON verify_queue (kind, state, submitted_at, organisation);
CREATE INDEX verify_queue_due ON verify_queue (kind, state, due_at, organisation);
CREATE INDEX verify_queue_expires ON verify_queue (kind, state, expires_at, organisation);
CREATE INDEX verify_queue_reviewer ON verify_queue (kind, reviewer, submitted_at, organisation);
CREATE INDEX verify_queue_organisation ON verify_queue (organisation);
CREATE TABLE verify_submission (
  organisation TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  state        TEXT    NOT NULL, -- submitted, approved, rejected, withdrawn, void
  form         TEXT    NOT NULL,
  kinds        TEXT    NOT NULL, -- JSON array
  catalogue    TEXT    NOT NULL, -- version of the catalogue it was held to
  content      BLOB    NOT NULL, -- sealed: the values of the form
  waived       TEXT    NOT NULL, -- JSON array: conditions that were waived for it
  submitted_by TEXT    NOT NULL, -- user id
  submitted_at INTEGER NOT NULL,
  decided_by   TEXT    NOT NULL,
  decided_at   INTEGER NOT NULL, -- 0: not yet
  reasons      TEXT    NOT NULL, -- JSON array
  note         TEXT    NOT NULL,
  PRIMARY KEY (organisation, number)
) WITHOUT ROWID;
CREATE TABLE verify_paper (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  slot         TEXT    NOT NULL,
  draft        INTEGER NOT NULL, -- 1: part of the next submission
  blob         TEXT    NOT NULL,
  media_type   TEXT    NOT NULL,
  size         INTEGER NOT NULL, -- bytes
  sha256       TEXT    NOT NULL, -- hexadecimal
  about        BLOB    NOT NULL, -- sealed: file name, number, issuer
  valid_from   INTEGER NOT NULL, -- midnight UTC of the first day; 0: none
  valid_until  INTEGER NOT NULL, -- midnight UTC of the last day; 0: none
  uploaded_by  TEXT    NOT NULL, -- user id
  uploaded_at  INTEGER NOT NULL
);
CREATE INDEX verify_paper_organisation ON verify_paper (organisation, id);
CREATE INDEX verify_paper_blob ON verify_paper (blob);
CREATE TABLE verify_used (
  organisation TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  paper        TEXT    NOT NULL,
  PRIMARY KEY (organisation, number, paper)
) WITHOUT ROWID;
CREATE INDEX verify_used_paper ON verify_used (paper);
CREATE TABLE verify_waste (
  blob         TEXT NOT NULL PRIMARY KEY,
  organisation TEXT NOT NULL
);
CREATE INDEX verify_waste_organisation ON verify_waste (organisation);
CREATE TABLE verify_grant (
  organisation  TEXT    NOT NULL,
  qualification TEXT    NOT NULL,
  submission    INTEGER NOT NULL, -- in which it was approved
  granted_at    INTEGER NOT NULL,
  valid_until   INTEGER NOT NULL, -- the moment it ends; 0: with the verification
  warned        INTEGER NOT NULL,
  next_at       INTEGER NOT NULL, -- when the clock has something to do; 0: never
  PRIMARY KEY (organisation, qualification)
) WITHOUT ROWID;
CREATE INDEX verify_grant_next ON verify_grant (next_at) WHERE next_at > 0;
CREATE TABLE verify_waiver (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  condition    TEXT    NOT NULL, -- field.NAME, paper.SLOT, qualification.NAME
  reason       TEXT    NOT NULL,
  wording      TEXT    NOT NULL, -- the waiver itself, as it was written
  paper        TEXT    NOT NULL, -- id of a paper that has it; may be empty
  starts_at    INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL,
  given_by     TEXT    NOT NULL, -- user id
  given_at     INTEGER NOT NULL,
  revoked_by   TEXT    NOT NULL,
  revoked_at   INTEGER NOT NULL, -- 0: it stands
  revoked_for  TEXT    NOT NULL
);
CREATE INDEX verify_waiver_organisation ON verify_waiver (organisation, id);
CREATE INDEX verify_waiver_condition ON verify_waiver (organisation, condition);
CREATE INDEX verify_waiver_all ON verify_waiver (condition, id);
CREATE TABLE verify_consequence (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL, -- agreement_ends, false_papers
  reason       TEXT    NOT NULL,
  submission   INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  done_at      INTEGER NOT NULL -- 0: not yet
);
CREATE INDEX verify_consequence_open ON verify_consequence (id) WHERE done_at = 0;
CREATE INDEX verify_consequence_organisation ON verify_consequence (organisation);
CREATE INDEX product_organisation_changed ON product (organisation, changed_at, id);
CREATE INDEX product_state ON product (state, id);
CREATE INDEX product_kind ON product (kind, id);
CREATE INDEX product_flagged ON product (flagged, id);
CREATE INDEX product_offered ON product (offered, kind, id);
CREATE INDEX product_offered_all ON product (offered, id);
CREATE INDEX product_built_on ON product (built_on) WHERE built_on <> '';
CREATE INDEX product_solution ON product (solution) WHERE solution <> '';
CREATE INDEX product_icon ON product (icon) WHERE icon <> '';
CREATE TABLE product_paper (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  kind         TEXT    NOT NULL,           -- as in papers.json
  number       TEXT    NOT NULL,
  issuer       TEXT    NOT NULL,
  valid_from   INTEGER NOT NULL,
  valid_until  INTEGER NOT NULL,           -- excluded; 0: without end
  file         TEXT    NOT NULL,           -- blob
  media        TEXT    NOT NULL,
  size         INTEGER NOT NULL,
  state        TEXT    NOT NULL,           -- submitted, approved, refused
  note         TEXT    NOT NULL,           -- of the reviewer
  created_at   INTEGER NOT NULL,
  told         INTEGER NOT NULL,           -- 0 nothing, 1 that it ends soon, 2 that it ended
  next_at      INTEGER NOT NULL,           -- when the clock has to look at it; 0: never
  revision     INTEGER NOT NULL
);
CREATE INDEX product_paper_product ON product_paper (product, id);
CREATE INDEX product_paper_organisation ON product_paper (organisation, id);
CREATE INDEX product_paper_state ON product_paper (state, id);
CREATE INDEX product_paper_file ON product_paper (file);
CREATE INDEX product_paper_next ON product_paper (next_at) WHERE next_at > 0;
CREATE TABLE product_erased (
  product_id INTEGER NOT NULL PRIMARY KEY
);
CREATE TRIGGER product_model_stays BEFORE UPDATE ON product_model
BEGIN
  SELECT RAISE(ABORT, 'a published thing model never changes');
END;
CREATE TABLE laboratory (
  id          TEXT    NOT NULL PRIMARY KEY,
  names       TEXT    NOT NULL,            -- JSON object: language to name
  kinds       TEXT    NOT NULL,            -- JSON array of product kinds; empty: every kind
  categories  TEXT    NOT NULL,            -- JSON array; empty: every category
  valid_from  INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,            -- excluded
  state       TEXT    NOT NULL,            -- appointed, ended
  reason      TEXT    NOT NULL,            -- why it ended
  created_at  INTEGER NOT NULL,
  revision    INTEGER NOT NULL
);
CREATE TABLE certification (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  kind         TEXT    NOT NULL,           -- of the product
  category     TEXT    NOT NULL,           -- of the product; empty: it has none
  covers       TEXT    NOT NULL,           -- JSON: protocols, features, firmware
  laboratory   TEXT    NOT NULL,           -- empty: the operator
  state        TEXT    NOT NULL,           -- open, assigned, passed, failed, withdrawn
  report       TEXT    NOT NULL,           -- its number
  note         TEXT    NOT NULL,
  opened_by    TEXT    NOT NULL,           -- user id
  opened_at    INTEGER NOT NULL,
  decided_by   TEXT    NOT NULL,           -- user id
  decided_at   INTEGER NOT NULL,           -- 0: not yet
  revision     INTEGER NOT NULL
);
CREATE INDEX certification_organisation ON certification (organisation, id);
CREATE INDEX certification_laboratory ON certification (laboratory, id);
CREATE INDEX certification_laboratory_state ON certification (laboratory, state, id);
CREATE INDEX certification_state ON certification (state, id);
CREATE INDEX certification_product ON certification (product, id);
CREATE UNIQUE INDEX certification_open ON certification (product) WHERE decided_at = 0;
CREATE TABLE certification_evidence (
  id            TEXT    NOT NULL PRIMARY KEY, -- of the blob
  certification TEXT    NOT NULL,
  organisation  TEXT    NOT NULL,
  media         TEXT    NOT NULL,
  size          INTEGER NOT NULL,
  sha256        TEXT    NOT NULL,
  added_by      TEXT    NOT NULL,             -- user id
  added_at      INTEGER NOT NULL
);
CREATE INDEX certification_evidence_case ON certification_evidence (certification, id);
CREATE INDEX certification_evidence_organisation ON certification_evidence (organisation);
CREATE TABLE certificate (
  id            TEXT    NOT NULL PRIMARY KEY,
  certification TEXT    NOT NULL,
  organisation  TEXT    NOT NULL,
  product       TEXT    NOT NULL,
  laboratory    TEXT    NOT NULL,           -- empty: the operator
  covers        TEXT    NOT NULL,           -- JSON: protocols, features, firmware
  report        TEXT    NOT NULL,
  conditions    TEXT    NOT NULL,
  valid_from    INTEGER NOT NULL,
  valid_until   INTEGER NOT NULL,           -- excluded
  state         TEXT    NOT NULL,           -- pending, valid, expired, revoked
  reason        TEXT    NOT NULL,           -- why it was revoked
  issued_at     INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,           -- 0: not yet
  told          INTEGER NOT NULL,           -- 1: the maker knows that it ends soon
  next_at       INTEGER NOT NULL,           -- when the clock has to look at it; 0: never
  revision      INTEGER NOT NULL
);
CREATE INDEX certificate_organisation ON certificate (organisation, id);
CREATE INDEX certificate_laboratory ON certificate (laboratory, id);
CREATE INDEX certificate_product ON certificate (product, id);
CREATE INDEX certificate_state ON certificate (state, id);
CREATE INDEX certificate_next ON certificate (next_at) WHERE next_at > 0;
CREATE TABLE certify_standing (
  product      TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  in_force     INTEGER NOT NULL,
  since        INTEGER NOT NULL
);
CREATE INDEX certify_standing_organisation ON certify_standing (organisation);
CREATE INDEX issuance_order_state ON issuance_order (state, id);
CREATE INDEX issuance_order_product ON issuance_order (product, id);
CREATE INDEX issuance_order_own_state ON issuance_order (organisation, state, id);
CREATE INDEX issuance_order_own_product ON issuance_order (organisation, product, id);
CREATE TABLE issuance_generation (
  batch      TEXT    NOT NULL, -- the order
  generation INTEGER NOT NULL,
  download   TEXT    NOT NULL, -- that handed it out; empty: none yet
  opened_at  INTEGER NOT NULL,
  until      INTEGER,          -- when it ends, once a later one was handed out
  revoked_at INTEGER,
  PRIMARY KEY (batch, generation)
) WITHOUT ROWID;
CREATE TABLE issuance_download (
  id           TEXT    NOT NULL PRIMARY KEY,
  batch        TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  generation   INTEGER NOT NULL,
  format       TEXT    NOT NULL, -- xlsx, age
  recipient    TEXT    NOT NULL, -- of age
  reason       TEXT    NOT NULL,
  made_by      TEXT    NOT NULL, -- user
  holder       TEXT    NOT NULL, -- the session or token that it is good for
  form         TEXT    NOT NULL, -- two programs of one form write the same bytes
  created_at   INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL,
  quantity     INTEGER,          -- triples in the file, once they were counted
  size         INTEGER,          -- bytes, once they were counted
  taken_at     INTEGER,          -- its last byte was
  voided_at    INTEGER,          -- triples of the order were revoked meanwhile
  revoked_at   INTEGER           -- what it handed out is not in force any more
);
CREATE INDEX issuance_download_batch ON issuance_download (batch, id);
CREATE INDEX issuance_download_organisation ON issuance_download (organisation, id);
CREATE TABLE issuance_secret (
  batch      TEXT    NOT NULL,
  mac        INTEGER NOT NULL,
  generation INTEGER NOT NULL, -- of the first login; 0: none yet
  newest     INTEGER NOT NULL, -- generation of the order at that moment
  lowest     INTEGER NOT NULL, -- generations below it are revoked
  fixed_at   INTEGER,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;
CREATE TABLE mac_list (
  number       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- uploading, checking, ready, refused, cancelled, failed
  reason       TEXT    NOT NULL,
  total        INTEGER NOT NULL, -- addresses
  used         INTEGER NOT NULL, -- of them, from the front, what orders have
  batch        TEXT    NOT NULL, -- the order that takes from it now
  bad          INTEGER NOT NULL, -- rows that were refused
  report       TEXT    NOT NULL, -- the first of them, JSON
  job          TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX mac_list_id ON mac_list (id);
CREATE INDEX mac_list_organisation ON mac_list (organisation, id);
CREATE TABLE issuance_mac (
  last  INTEGER NOT NULL PRIMARY KEY,
  first INTEGER NOT NULL,
  list  INTEGER NOT NULL,
  start INTEGER NOT NULL -- the row of the list that first is, from 0
);
CREATE UNIQUE INDEX issuance_mac_list ON issuance_mac (list, start);
CREATE INDEX issuance_range_any ON issuance_range (last);
CREATE INDEX issuance_order_list ON issuance_order (list) WHERE list <> 0;
CREATE TABLE issuance_upload (
  list  INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  bytes BLOB    NOT NULL,
  PRIMARY KEY (list, seq)
);
CREATE TABLE factory_log (
  id           TEXT    NOT NULL PRIMARY KEY,
  batch        TEXT    NOT NULL, -- the order
  product      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  hash         TEXT    NOT NULL, -- SHA-256 of the file, hexadecimal
  state        TEXT    NOT NULL, -- uploading, checking, done, cancelled, failed
  reason       TEXT    NOT NULL,
  lines        INTEGER NOT NULL, -- rows that were read
  burned       INTEGER NOT NULL,
  failed       INTEGER NOT NULL,
  repeated     INTEGER NOT NULL, -- rows that said what was known
  doubled      INTEGER NOT NULL, -- addresses that were burned before
  strange      INTEGER NOT NULL, -- addresses that are not of the order
  wrong        INTEGER NOT NULL, -- rows that cannot be read
  job          TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  ended_at     INTEGER
);
CREATE INDEX factory_log_batch ON factory_log (batch, id);
CREATE INDEX factory_log_organisation ON factory_log (organisation, id);
CREATE INDEX factory_log_product ON factory_log (product, id);
CREATE TABLE factory_burn (
  batch   TEXT    NOT NULL,
  mac     INTEGER NOT NULL,
  result  TEXT    NOT NULL, -- burned, failed
  at      INTEGER NOT NULL,
  station TEXT    NOT NULL,
  log     TEXT    NOT NULL, -- that said so last
  line    INTEGER NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;
CREATE TABLE factory_flaw (
  log  TEXT    NOT NULL,
  line INTEGER NOT NULL,
  kind TEXT    NOT NULL, -- double, foreign, wrong
  got  TEXT    NOT NULL,
  rule TEXT    NOT NULL,
  PRIMARY KEY (log, line)
) WITHOUT ROWID;
CREATE TABLE factory_upload (
  log   TEXT    NOT NULL,
  seq   INTEGER NOT NULL,
  bytes BLOB    NOT NULL,
  PRIMARY KEY (log, seq)
);
CREATE TABLE quota_used (
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL, -- of the limit
  since        INTEGER NOT NULL, -- ms UTC; 0: a stock
  used         INTEGER NOT NULL,
  told         INTEGER NOT NULL, -- the highest share that was told of, percent
  PRIMARY KEY (subject_kind, subject, name, since)
) WITHOUT ROWID;
CREATE INDEX quota_used_since ON quota_used (since);
CREATE TABLE quota_override (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL, -- whose subject it is; empty: the platform's
  name         TEXT    NOT NULL,
  purpose      TEXT    NOT NULL, -- set, throttle, cut_off, adjust
  value        INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  from_at      INTEGER NOT NULL,
  until_at     INTEGER NOT NULL, -- 0: no end
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL, -- user id
  answer       TEXT    NOT NULL, -- what the organisation said of being asked
  answered_at  INTEGER NOT NULL, -- 0: not yet
  lifted_at    INTEGER NOT NULL  -- 0: it stands
);
CREATE INDEX quota_override_subject ON quota_override (subject_kind, subject, name, id);
CREATE INDEX quota_override_organisation ON quota_override (organisation, id);
CREATE INDEX quota_override_open ON quota_override (id) WHERE lifted_at = 0;
CREATE TABLE quota_change (
  seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at  INTEGER NOT NULL
);
CREATE TABLE quota_notice (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  kind         TEXT    NOT NULL, -- near, reached, changed, adjust
  percent      INTEGER NOT NULL,
  used         INTEGER NOT NULL,
  value        INTEGER NOT NULL,
  note         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  told_at      INTEGER NOT NULL  -- 0: not handed on yet
);
CREATE INDEX quota_notice_organisation ON quota_notice (organisation, id);
CREATE INDEX quota_notice_open ON quota_notice (id) WHERE told_at = 0;
CREATE TABLE quota_node (
  node TEXT    NOT NULL PRIMARY KEY,
  tick INTEGER NOT NULL -- second, UTC
) WITHOUT ROWID;
CREATE TABLE quota_lease (
  node         TEXT    NOT NULL,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  tick         INTEGER NOT NULL,
  demand       INTEGER NOT NULL,
  PRIMARY KEY (subject_kind, subject, name, node)
) WITHOUT ROWID;
CREATE INDEX quota_lease_tick ON quota_lease (tick);
CREATE TABLE enforce_measure (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL, -- organisation, product, batch, device
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL, -- whose subject it is
  kind         TEXT    NOT NULL, -- warn, suspend_service, suspend, take_down, order_deletion, delete_data, terminate
  service      TEXT    NOT NULL, -- of suspend_service
  state        TEXT    NOT NULL, -- scheduled, in_force, ended, lifted
  cause        TEXT    NOT NULL, -- of the catalogue
  reason       TEXT    NOT NULL,
  evidence     TEXT    NOT NULL, -- JSON array of ids
  imposed_by   TEXT    NOT NULL, -- user id
  created_at   INTEGER NOT NULL,
  starts_at    INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL, -- 0: no end
  due_at       INTEGER NOT NULL, -- of order_deletion: the day by which it is to be done; 0: none
  appeal_until INTEGER NOT NULL,
  closed_at    INTEGER NOT NULL, -- 0: neither ended nor lifted
  closed_by    TEXT    NOT NULL,
  closing      TEXT    NOT NULL  -- why it was lifted
);
CREATE INDEX enforce_measure_open ON enforce_measure (subject_kind, subject) WHERE closed_at = 0;
CREATE INDEX enforce_measure_organisation ON enforce_measure (organisation, id);
CREATE INDEX enforce_measure_subject ON enforce_measure (subject_kind, subject, id);
CREATE INDEX enforce_measure_start ON enforce_measure (starts_at) WHERE closed_at = 0;
CREATE TABLE enforce_event (
  id           TEXT    NOT NULL PRIMARY KEY,
  measure      TEXT    NOT NULL, -- or the deletion that it is about
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  told_at      INTEGER NOT NULL  -- 0: not handed on yet
);
CREATE INDEX enforce_event_measure ON enforce_event (measure, id);
CREATE INDEX enforce_event_organisation ON enforce_event (organisation, id);
CREATE INDEX enforce_event_open ON enforce_event (id) WHERE told_at = 0;
CREATE TABLE enforce_appeal (
  id           TEXT    NOT NULL PRIMARY KEY,
  measure      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- open, upheld, lifted, changed, withdrawn
  statement    TEXT    NOT NULL,
  evidence     TEXT    NOT NULL, -- JSON array of ids
  filed_by     TEXT    NOT NULL, -- user id
  filed_at     INTEGER NOT NULL,
  decided_by   TEXT    NOT NULL,
  decided_at   INTEGER NOT NULL, -- 0: not yet
  decision     TEXT    NOT NULL  -- why
);
CREATE INDEX enforce_appeal_organisation ON enforce_appeal (organisation, id);
CREATE INDEX enforce_appeal_state ON enforce_appeal (state, id);
CREATE UNIQUE INDEX enforce_appeal_open ON enforce_appeal (measure) WHERE state = 'open';
CREATE TABLE enforce_change (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  at           INTEGER NOT NULL
);
CREATE TABLE enforce_deletion (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  measure      TEXT    NOT NULL, -- empty: the organisation leaves by itself
  state        TEXT    NOT NULL, -- announced, called_back, erasing, done
  reason       TEXT    NOT NULL,
  requested_by TEXT    NOT NULL, -- user id
  created_at   INTEGER NOT NULL,
  hold_until   INTEGER NOT NULL, -- not before
  started_at   INTEGER NOT NULL, -- 0: not yet
  ended_at     INTEGER NOT NULL, -- 0: not yet
  job          TEXT    NOT NULL,
  stage        INTEGER NOT NULL, -- how many of its steps are done
  listed       TEXT    NOT NULL, -- where the listing of ids stands; empty when it is complete
  rows_erased  INTEGER NOT NULL, -- calls that erased something
  proof        TEXT    NOT NULL  -- JSON; empty: not proven yet
);
CREATE INDEX enforce_deletion_organisation ON enforce_deletion (organisation, id);
CREATE UNIQUE INDEX enforce_deletion_open ON enforce_deletion (subject_kind, subject) WHERE ended_at = 0;
CREATE TABLE enforce_erased (
  deletion TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  PRIMARY KEY (deletion, kind, id)
) WITHOUT ROWID;
CREATE TABLE takeout_export (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- collecting, ready, failed, cancelled, discarded, expired
  reason       TEXT    NOT NULL,
  ordered_by   TEXT    NOT NULL, -- user id
  created_at   INTEGER NOT NULL,
  job          TEXT    NOT NULL,
  ended_at     INTEGER NOT NULL, -- when it left collecting; 0: not yet
  expires_at   INTEGER NOT NULL, -- of one that is ready: when its file goes; 0: none
  file         TEXT    NOT NULL, -- blob; empty: none, or none any more
  size_bytes   INTEGER NOT NULL,
  file_count   INTEGER NOT NULL,
  row_count    INTEGER NOT NULL,
  sha256       TEXT    NOT NULL,
  failure      TEXT    NOT NULL  -- one sentence
);
CREATE INDEX takeout_export_organisation ON takeout_export (organisation, id);
CREATE INDEX takeout_export_file ON takeout_export (file) WHERE file <> '';
CREATE INDEX takeout_export_expires ON takeout_export (expires_at) WHERE state = 'ready';
CREATE UNIQUE INDEX takeout_export_open ON takeout_export (organisation) WHERE state = 'collecting';
CREATE INDEX device_product ON device (product, id);
CREATE INDEX device_organisation_name ON device (organisation, name);
CREATE INDEX device_presence_organisation ON device_presence (organisation, online, device);
CREATE INDEX device_change_device ON device_change (device);
CREATE INDEX device_activated ON device (product) WHERE activated_at IS NOT NULL;
CREATE INDEX command_organisation ON command (organisation, seq);
CREATE TABLE keyring_signing (
  purpose    TEXT    NOT NULL PRIMARY KEY,
  public     BLOB    NOT NULL, -- Ed25519
  sealed     BLOB    NOT NULL, -- the private half
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_presence_product ON device_presence (product, online, device);
CREATE TABLE account_ask (
  id         TEXT    NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,              -- signup, reset, contact
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,              -- who may use it; empty: whoever has it
  expires_at INTEGER NOT NULL
, taken INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX account_ask_contact ON account_ask (kind, address, purpose, user_id);
CREATE INDEX account_ask_expires ON account_ask (expires_at);
CREATE TABLE account_invited (
  organisation TEXT    NOT NULL,
  receiver     BLOB    NOT NULL,            -- SHA-256 of the contact or the login
  sent         INTEGER NOT NULL,            -- since they last joined, or were left alone for long enough
  declined     INTEGER NOT NULL,            -- 1: they want no more
  last_at      INTEGER NOT NULL,
  PRIMARY KEY (organisation, receiver)
) WITHOUT ROWID;
CREATE INDEX account_invited_receiver ON account_invited (receiver);
CREATE INDEX account_invited_last ON account_invited (last_at);
CREATE TABLE agreement_paper (
  id          TEXT    NOT NULL PRIMARY KEY,
  consent     TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,            -- whom the consent is for, who uploaded it
  kind        TEXT    NOT NULL,            -- consent, relation
  blob        TEXT    NOT NULL,            -- id; empty: its bytes went when the consent had ended
  media_type  TEXT    NOT NULL,
  size        INTEGER NOT NULL,            -- bytes
  sha256      TEXT    NOT NULL,            -- of the bytes, hexadecimal
  uploaded_at INTEGER NOT NULL
);
CREATE INDEX agreement_paper_consent ON agreement_paper (consent, id);
CREATE INDEX agreement_paper_user ON agreement_paper (user_id, id);
CREATE INDEX agreement_paper_blob ON agreement_paper (blob) WHERE blob <> '';
CREATE TABLE agreement_waste (
  blob TEXT NOT NULL PRIMARY KEY
);
CREATE INDEX agreement_guardian_ready ON agreement_guardian (ready, id);
CREATE INDEX agreement_guardian_needed ON agreement_guardian (needed_until) WHERE needed_until > 0 AND state IN ('requested', 'confirmed');
CREATE INDEX account_user_state ON account_user (state, id);
CREATE INDEX account_user_state_login ON account_user (state, login_key, id);
CREATE INDEX account_user_role ON account_user (platform_role, id);
CREATE INDEX account_user_role_login ON account_user (platform_role, login_key, id);
CREATE INDEX member_login ON member (organisation, login_key, user_id);
CREATE INDEX member_since ON member (organisation, created_at, user_id);
CREATE INDEX member_of ON member (user_id, organisation);
CREATE TABLE organisation_listed (
  facet        TEXT NOT NULL,               -- empty: all; "kind:K", "form:F", "kind:K form:F"
  lang         TEXT NOT NULL,               -- zh-CN, en
  organisation TEXT NOT NULL,
  name         TEXT NOT NULL,               -- folded, in the language or, where it has none, in the other
  PRIMARY KEY (facet, lang, organisation)
) WITHOUT ROWID;
CREATE INDEX organisation_listed_name ON organisation_listed (facet, lang, name, organisation);
CREATE INDEX organisation_listed_organisation ON organisation_listed (organisation);
CREATE INDEX account_invitation_state ON account_invitation (organisation, state, id);
CREATE INDEX account_invitation_role ON account_invitation (organisation, role, id);
CREATE INDEX account_invitation_state_role ON account_invitation (organisation, state, role, id);
CREATE INDEX api_token_owner ON api_token (user_id, organisation, id);
CREATE INDEX api_token_name ON api_token (user_id, organisation, name, id);
CREATE INDEX api_token_expires ON api_token (user_id, organisation, expires_at, id);
CREATE INDEX outbox_message_dead ON outbox_message (id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_kind ON outbox_message (kind, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of ON outbox_message (organisation, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_kind ON outbox_message (organisation, kind, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_ended ON outbox_message (ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_kind_ended ON outbox_message (kind, ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_ended ON outbox_message (organisation, ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_kind_ended ON outbox_message (organisation, kind, ended_at, id) WHERE state = 'dead';
CREATE TABLE session (
  device     TEXT    NOT NULL PRIMARY KEY,
  epoch      INTEGER NOT NULL, -- of the connection that has it, or had it last
  online     INTEGER NOT NULL, -- 0, 1
  resumed    INTEGER NOT NULL, -- that connection found what an earlier one left: 0, 1
  lasts_s    INTEGER NOT NULL, -- how long it stays after its connection, seconds; 0: it ends with it
  expires_at INTEGER,          -- set while it waits for its device
  filters    BLOB NOT NULL, -- what the device subscribed to
  held       BLOB NOT NULL, -- identifiers of QoS 2 messages that were taken and not released, two bytes each
  will       BLOB,          -- what is to be said for the device if it goes without goodbye
  will_at    INTEGER           -- when, set after it went
, since INTEGER NOT NULL DEFAULT 0);
CREATE INDEX session_expires ON session (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX session_will ON session (will_at) WHERE will_at IS NOT NULL;
CREATE TABLE session_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
);
CREATE TABLE device_tag (
  device       TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  value        TEXT    NOT NULL,
  pair         TEXT    NOT NULL, -- key=value, what lists of devices are filtered by
  organisation TEXT    NOT NULL, -- of the device, as the next
  product      TEXT    NOT NULL,
  updated_at   INTEGER NOT NULL,
  PRIMARY KEY (device, key)
) WITHOUT ROWID;
CREATE INDEX device_tag_organisation ON device_tag (organisation, pair, device);
CREATE INDEX device_tag_product ON device_tag (product, pair, device);
CREATE INDEX device_tag_pair ON device_tag (pair, device);
CREATE TABLE device_firmware (
  device      TEXT    NOT NULL,
  module      TEXT    NOT NULL,
  version     TEXT    NOT NULL,
  informed_at INTEGER NOT NULL, -- when it was first told of this version
  PRIMARY KEY (device, module)
) WITHOUT ROWID;
CREATE TABLE device_line (
  seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device      TEXT    NOT NULL,
  received_at INTEGER NOT NULL,
  at          INTEGER,          -- by the device
  level       TEXT    NOT NULL,
  module      TEXT    NOT NULL,
  code        TEXT    NOT NULL,
  trace       TEXT    NOT NULL,
  content     TEXT    NOT NULL,
  folded      TEXT    NOT NULL  -- content in lower case, to search in
);
CREATE INDEX device_line_device ON device_line (device, seq);
CREATE INDEX device_line_received ON device_line (device, received_at, seq);
CREATE INDEX device_line_age ON device_line (received_at);
CREATE TABLE config_version (
  id           TEXT    NOT NULL PRIMARY KEY, -- the configId that devices hear
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  document     TEXT    NOT NULL, -- JSON, byte for byte as devices get it
  sha256       TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL
);
CREATE UNIQUE INDEX config_version_product ON config_version (product, number);
CREATE INDEX config_version_organisation ON config_version (organisation);
CREATE TABLE config_push (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  sent         INTEGER NOT NULL, -- devices it was sent to
  confirmed    INTEGER NOT NULL  -- those that answered 200
);
CREATE INDEX config_push_product ON config_push (product, seq);
CREATE INDEX config_push_organisation ON config_push (organisation);
CREATE INDEX command_call ON command (device) WHERE ended_at IS NULL AND call <> '';
CREATE TABLE shadow_classic (
    device  TEXT   NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE device_child (
  child       TEXT    NOT NULL PRIMARY KEY,
  gateway     TEXT    NOT NULL,
  pinned      INTEGER NOT NULL, -- the maker attached it, and no gateway takes it away
  attached_at INTEGER  NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_child_gateway ON device_child (gateway, child);
CREATE TABLE issuance_window (
  batch      TEXT    NOT NULL PRIMARY KEY, -- the order
  id         TEXT    NOT NULL,             -- what the generation was handed out by
  generation INTEGER NOT NULL,             -- of the secrets that it hands out
  names      INTEGER NOT NULL,             -- how many are allowed; 0: all of the order
  opened_at  INTEGER NOT NULL,
  closes_at  INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  made_by    TEXT    NOT NULL
) WITHOUT ROWID;
CREATE TABLE issuance_window_name (
  batch TEXT    NOT NULL,
  mac   INTEGER NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;
CREATE TABLE issuance_registered (
  batch         TEXT    NOT NULL,
  mac           INTEGER NOT NULL,
  generation    INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  way           TEXT    NOT NULL, -- https, mqtt
  address       TEXT    NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;
CREATE TABLE timeline_entry (
  seq    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  kind   TEXT    NOT NULL,
  what   TEXT    NOT NULL, -- a topic, an address, what a command is
  why    TEXT    NOT NULL,
  folded TEXT    NOT NULL, -- both in lower case, to search in
  times  INTEGER NOT NULL,
  ref    TEXT    NOT NULL  -- id of the command
);
CREATE INDEX timeline_entry_device ON timeline_entry (device, seq);
CREATE INDEX timeline_entry_at ON timeline_entry (device, at, seq);
CREATE INDEX timeline_entry_age ON timeline_entry (at);
CREATE TABLE timeline_cursor (
  consumer TEXT NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE timeline_open (
  command TEXT NOT NULL PRIMARY KEY, -- its id
  device  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX timeline_open_device ON timeline_open (device);
CREATE TABLE timeline_forgotten (
  device TEXT    NOT NULL PRIMARY KEY,
  seq    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE scene (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  names        TEXT    NOT NULL, -- JSON object: language to name
  aliases      TEXT    NOT NULL, -- JSON object: language to array of names
  phrases      TEXT    NOT NULL, -- JSON object: language to array of sentences
  actions      TEXT    NOT NULL, -- JSON array
  version      INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL
);
CREATE INDEX scene_home ON scene (home, id);
CREATE INDEX scene_organisation ON scene (organisation, id);
CREATE TABLE scene_run (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  origin       TEXT    NOT NULL, -- scene, timer, automation
  ref          TEXT    NOT NULL, -- its id
  label        TEXT    NOT NULL, -- JSON object: language to what it was called
  asked        TEXT    NOT NULL, -- by whom: api, voice, clock, event; of an automation's run what set it off
  depth        INTEGER NOT NULL, -- how many automations led to it
  actor_kind   TEXT    NOT NULL, -- in whose name commands go; empty once it has ended
  actor        TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  position     INTEGER NOT NULL, -- the next of its steps
  due_at       INTEGER NOT NULL, -- when that is due; of a run that has ended: when it ended
  steps        TEXT    NOT NULL, -- JSON array: what is to be done, and what came of it
  started_at   INTEGER NOT NULL
);
CREATE INDEX scene_run_home ON scene_run (home, id);
CREATE INDEX scene_run_ref ON scene_run (home, ref, id);
CREATE INDEX scene_run_due ON scene_run (state, due_at, id);
CREATE INDEX scene_run_organisation ON scene_run (organisation, id);
CREATE TABLE scene_device (
  device TEXT NOT NULL,
  kind   TEXT NOT NULL, -- scene, timer, automation, run
  id     TEXT NOT NULL,
  PRIMARY KEY (device, kind, id)
);
CREATE INDEX scene_device_id ON scene_device (kind, id);
CREATE TABLE scene_timer (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  label        TEXT    NOT NULL,
  seconds      INTEGER NOT NULL, -- from when it was set; 0: at a time of day
  at           TEXT    NOT NULL, -- time of day in the home, 07:00; empty: after seconds
  day          TEXT    NOT NULL, -- date, 2026-01-31; empty: the next time it is so late
  days         INTEGER NOT NULL, -- weekdays on which it repeats, one bit each from Monday; 0: once
  actions      TEXT    NOT NULL, -- JSON array; empty: it only rings
  asked        TEXT    NOT NULL, -- api, voice
  state        TEXT    NOT NULL,
  occurrence   INTEGER NOT NULL, -- how often it was due: with it a firing is claimed
  version      INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- of one that has ended: when it was due
  shift        TEXT    NOT NULL, -- what daylight saving does to due_at: gap, first, or nothing
  last_at      INTEGER NOT NULL, -- when it was due last; 0: never
  last         TEXT    NOT NULL, -- what came of that: fired, missed
  created_at   INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL  -- 0: it has not
, made_by TEXT NOT NULL DEFAULT '');
CREATE INDEX scene_timer_home ON scene_timer (home, id);
CREATE INDEX scene_timer_due ON scene_timer (state, due_at, id);
CREATE INDEX scene_timer_organisation ON scene_timer (organisation, id);
CREATE TABLE scene_automation (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  enabled      INTEGER NOT NULL,
  cause        TEXT    NOT NULL, -- JSON object: what sets it off
  devices      TEXT    NOT NULL, -- JSON object: what the condition calls them, to id
  condition    TEXT    NOT NULL, -- CEL; empty: always
  actions      TEXT    NOT NULL, -- JSON array
  version      INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- by time and sun: when next; 0: never
  seen         REAL, -- what its property was reported as last; NULL: not known
  created_at   INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL
);
CREATE INDEX scene_automation_home ON scene_automation (home, id);
CREATE INDEX scene_automation_due ON scene_automation (enabled, due_at, id);
CREATE INDEX scene_automation_organisation ON scene_automation (organisation, id);
CREATE TABLE scene_trace (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  automation   TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  cause        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  why          TEXT    NOT NULL,
  depth        INTEGER NOT NULL,
  times        INTEGER NOT NULL,
  run          TEXT    NOT NULL -- empty: none was begun
);
CREATE INDEX scene_trace_automation ON scene_trace (automation, id);
CREATE INDEX scene_trace_home ON scene_trace (home, outcome, at);
CREATE INDEX scene_trace_organisation ON scene_trace (organisation, id);
CREATE TABLE scene_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
);
CREATE TABLE resident (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL, -- of the contact: mail, sms
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  lang       TEXT    NOT NULL, -- of what is sent; empty: as they ask
  created_at INTEGER NOT NULL,
  UNIQUE (kind, address)
);
CREATE TABLE resident_session (
  id         TEXT    NOT NULL PRIMARY KEY,
  hash       BLOB    NOT NULL UNIQUE,
  resident   TEXT    NOT NULL,
  place      TEXT    NOT NULL, -- it was opened from
  agent      TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL
);
CREATE INDEX resident_session_resident ON resident_session (resident, created_at, id);
CREATE INDEX resident_session_used ON resident_session (used_at);
CREATE TABLE resident_place (
  resident TEXT    NOT NULL,
  place    TEXT    NOT NULL,
  seen_at  INTEGER NOT NULL,
  PRIMARY KEY (resident, place)
);
CREATE TABLE resident_code (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  known      INTEGER NOT NULL, -- asked for from a place of the holder's
  hash       BLOB    NOT NULL,
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX resident_code_address ON resident_code (kind, address, known, made_at);
CREATE INDEX resident_code_made ON resident_code (made_at);
CREATE TABLE home_member (
  home      TEXT    NOT NULL,
  resident  TEXT    NOT NULL,
  role      TEXT    NOT NULL, -- householder, adult, child, guest
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (home, resident)
);
CREATE INDEX home_member_resident ON home_member (resident, home);
CREATE TABLE home_invite (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  hash       BLOB    NOT NULL UNIQUE,
  role       TEXT    NOT NULL,
  made_by    TEXT    NOT NULL, -- resident
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX home_invite_home ON home_invite (home, id);
CREATE INDEX home_invite_expires ON home_invite (expires_at);
CREATE TABLE pairing_token (
  device     TEXT    NOT NULL PRIMARY KEY,
  hash       BLOB    NOT NULL UNIQUE,
  epoch      INTEGER NOT NULL, -- of the session that announced it
  expires_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL  -- 0: it was not
);
CREATE INDEX pairing_token_expires ON pairing_token (expires_at);
CREATE TABLE pairing_claim (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  resident   TEXT    NOT NULL,
  device     TEXT    NOT NULL,
  room       TEXT    NOT NULL,
  names      TEXT    NOT NULL, -- JSON object
  aliases    TEXT    NOT NULL, -- JSON object
  state      TEXT    NOT NULL, -- waiting_for_button, bound, refused
  reason     TEXT    NOT NULL, -- of refused
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
, hash BLOB NOT NULL DEFAULT X'', epoch INTEGER NOT NULL DEFAULT 0);
CREATE INDEX pairing_claim_device ON pairing_claim (device, state, expires_at);
CREATE INDEX pairing_claim_resident ON pairing_claim (resident);
CREATE INDEX pairing_claim_expires ON pairing_claim (expires_at);
CREATE TABLE pairing_try (
  who   TEXT    NOT NULL PRIMARY KEY,
  wrong INTEGER NOT NULL,
  until INTEGER NOT NULL -- then they count no more
);
CREATE INDEX pairing_try_until ON pairing_try (until);
CREATE TABLE home_speaker (
  home    TEXT NOT NULL,
  speaker TEXT NOT NULL, -- as it calls itself with a sentence
  room    TEXT NOT NULL,
  PRIMARY KEY (home, speaker)
);
CREATE TABLE home_favourite (
  home     TEXT    NOT NULL,
  person   TEXT    NOT NULL,
  position INTEGER NOT NULL,
  device   TEXT    NOT NULL,
  PRIMARY KEY (home, person, position)
);
CREATE INDEX home_favourite_device ON home_favourite (device);
CREATE INDEX home_favourite_person ON home_favourite (person);
CREATE TABLE voice_privacy (
  person       TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  keep_text    INTEGER NOT NULL, -- 1: for some days
  share        INTEGER NOT NULL, -- 1: what was not understood may be looked at
  changed_at   INTEGER NOT NULL,
  PRIMARY KEY (person, home)
) WITHOUT ROWID;
CREATE INDEX voice_privacy_home ON voice_privacy (home, person);
CREATE INDEX voice_privacy_organisation ON voice_privacy (organisation, person);
CREATE TABLE voice_sentence (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL,
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  reply        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  at           INTEGER NOT NULL
);
CREATE INDEX voice_sentence_person ON voice_sentence (person, home, id);
CREATE INDEX voice_sentence_when ON voice_sentence (person, home, at, id);
CREATE INDEX voice_sentence_home ON voice_sentence (home, id);
CREATE INDEX voice_sentence_organisation ON voice_sentence (organisation, id);
CREATE INDEX voice_sentence_age ON voice_sentence (at);
CREATE TABLE voice_count (
  organisation TEXT    NOT NULL,
  day          TEXT    NOT NULL, -- 2026-01-31, UTC
  kind         TEXT    NOT NULL,
  value        TEXT    NOT NULL,
  n            INTEGER NOT NULL,
  PRIMARY KEY (organisation, day, kind, value)
) WITHOUT ROWID;
CREATE INDEX voice_count_day ON voice_count (day);
CREATE TABLE voice_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE voice_inbox (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  folded       TEXT    NOT NULL, -- without case, spaces and signs: by it equals are found
  room         TEXT    NOT NULL, -- in the vocabulary; empty: not known
  vocabulary   TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- new, case, dismissed
  expect       TEXT    NOT NULL, -- JSON, of a case: what it should have been read as
  times        INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  decided_at   INTEGER NOT NULL  -- 0: it is not
);
CREATE UNIQUE INDEX voice_inbox_equal ON voice_inbox (organisation, lang, folded);
CREATE INDEX voice_inbox_organisation ON voice_inbox (organisation, id);
CREATE INDEX voice_inbox_when ON voice_inbox (organisation, last_at, id);
CREATE INDEX voice_inbox_state ON voice_inbox (state, id);
CREATE INDEX voice_inbox_vocabulary ON voice_inbox (organisation, vocabulary);
CREATE TABLE voice_inbox_person (
  entry  TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (entry, person)
) WITHOUT ROWID;
CREATE INDEX voice_inbox_person_person ON voice_inbox_person (person, entry);
CREATE TABLE voice_vocabulary (
  organisation TEXT NOT NULL,
  id           TEXT NOT NULL, -- sum of home
  home         TEXT NOT NULL, -- JSON
  PRIMARY KEY (organisation, id)
) WITHOUT ROWID;
CREATE TABLE product_voice_draft (
  product    TEXT    NOT NULL PRIMARY KEY,
  revision   INTEGER NOT NULL,           -- grows with each save
  document   TEXT    NOT NULL,           -- JSON, problems included
  changed_at INTEGER NOT NULL            -- ms
) WITHOUT ROWID;
CREATE TABLE product_voice (
  product      TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  model        INTEGER NOT NULL,         -- version of the thing model that it was checked against
  document     TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  published_at INTEGER NOT NULL,         -- ms
  published_by TEXT    NOT NULL,         -- user, empty for the platform
  PRIMARY KEY (product, version)
) WITHOUT ROWID;
CREATE TRIGGER product_voice_stays BEFORE UPDATE ON product_voice
BEGIN
  SELECT RAISE(ABORT, 'a published voice configuration never changes');
END;
CREATE TABLE voice_announcement (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL, -- who announced it
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  rooms        TEXT    NOT NULL, -- ids as a JSON array; none: all
  at           INTEGER NOT NULL,
  until        INTEGER NOT NULL
, sentence TEXT NOT NULL DEFAULT '', brief INTEGER NOT NULL DEFAULT 0);
CREATE INDEX voice_announcement_home ON voice_announcement (home, id);
CREATE INDEX voice_announcement_organisation ON voice_announcement (organisation, id);
CREATE INDEX voice_announcement_person ON voice_announcement (person, id);
CREATE TABLE voice_heard (
  announcement TEXT    NOT NULL,
  speaker      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL,
  room         TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  until        INTEGER NOT NULL,
  PRIMARY KEY (announcement, speaker)
) WITHOUT ROWID;
CREATE INDEX voice_heard_home ON voice_heard (home, state, announcement);
CREATE INDEX voice_heard_state ON voice_heard (state, until);
CREATE INDEX voice_heard_organisation ON voice_heard (organisation, announcement);
CREATE INDEX voice_heard_person ON voice_heard (person, announcement);
CREATE INDEX voice_announcement_brief ON voice_announcement (until) WHERE brief = 1;
CREATE INDEX scene_timer_label ON scene_timer (ended_at) WHERE label <> '' AND ended_at > 0;
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (1, 0, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (2, 1, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (3, 2, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (4, 3, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (5, 4, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (6, 5, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (7, 6, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (8, 10, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (9, 15, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (10, 20, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (11, 21, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (12, 22, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (13, 25, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (14, 30, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (15, 31, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (16, 32, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (17, 35, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (18, 50, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (19, 51, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (20, 52, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (21, 57, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (22, 58, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (23, 60, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (24, 61, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (25, 62, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (26, 70, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (27, 71, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (28, 72, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (29, 73, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (30, 75, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (31, 80, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (32, 81, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (33, 85, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (34, 86, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (35, 90, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (36, 91, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (37, 92, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (38, 95, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (39, 100, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (40, 101, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (41, 102, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (42, 110, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (43, 115, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (44, 116, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (45, 117, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (46, 118, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (47, 119, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (48, 120, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (49, 121, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (50, 122, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (51, 127, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (52, 128, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (53, 129, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (54, 130, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (55, 132, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (56, 140, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (57, 141, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (58, 150, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (59, 151, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (60, 152, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (61, 155, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (62, 156, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (63, 157, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (64, 158, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (65, 160, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (66, 165, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (67, 166, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (68, 170, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (69, 171, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (70, 172, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (71, 173, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (72, 174, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (73, 176, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (74, 180, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (75, 185, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (76, 186, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (77, 187, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (78, 188, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (79, 190, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (80, 191, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (81, 192, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (82, 200, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (83, 201, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (84, 202, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (85, 203, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (86, 220, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (87, 221, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (88, 222, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (89, 223, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (90, 230, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (91, 231, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (92, 240, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (93, 250, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (94, 260, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (95, 261, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (96, 262, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (97, 270, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (98, 271, 1);
INSERT INTO goose_db_version (id, version_id, is_applied) VALUES (99, 280, 1);
INSERT INTO device_run (one, run) VALUES (1, 0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence (name, seq) VALUES ('command', 100000000);
INSERT INTO sqlite_sequence (name, seq) VALUES ('goose_db_version', 99);
