package account

// What both holder statements give: id, organisation, created, used, API token, its end, when it was revoked, its scopes,
// whether and when the second factor was shown, then the user and the role in the organisation.
const (
	sessionHolderSQL = `
		SELECT s.id, s.organisation, s.created_at, s.used_at, s.token, t.expires_at, t.revoked_at, t.scopes, s.strong, s.proved_at,
			u.id, u.login, u.state, u.platform_role, u.laboratory, COALESCE(m.role, '')
		FROM login_session s
		JOIN account_user u ON u.id = s.user_id
		LEFT JOIN member m ON m.organisation = s.organisation AND m.user_id = s.user_id
		LEFT JOIN api_token t ON t.id = s.token
		WHERE s.hash = ?`

	tokenHolderSQL = `
		SELECT t.id, t.organisation, t.created_at, t.used_at, t.id, t.expires_at, t.revoked_at, t.scopes, t.strong, 0,
			u.id, u.login, u.state, u.platform_role, u.laboratory, COALESCE(m.role, '')
		FROM api_token t
		JOIN account_user u ON u.id = t.user_id
		LEFT JOIN member m ON m.organisation = t.organisation AND m.user_id = t.user_id
		WHERE t.hash = ?`

	provenSQL = `
		SELECT u.id, u.password, u.state, CASE WHEN f.confirmed_at > 0 THEN 1 ELSE 0 END
		FROM account_user u
		LEFT JOIN account_factor f ON f.user_id = u.id
		WHERE u.login_key = ?`

	userColumns = `u.id, u.login, u.email, u.platform_role, u.laboratory, u.state, u.revision, u.created_at, COALESCE(f.confirmed_at, 0)`
	userFrom    = `account_user u LEFT JOIN account_factor f ON f.user_id = u.id`

	insertUserSQL = `
		INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at, minor, adult_in)
		VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?)`

	// The holder of a contact, and whether they signed in from a place: one statement, so that a contact that is held costs no
	// more than one that is not.
	askerSQL = `
		SELECT COALESCE(MAX(c.user_id), ''), COUNT(p.user_id)
		FROM account_contact c
		LEFT JOIN account_place p ON p.user_id = c.user_id AND p.place = ?
		WHERE c.kind = ? AND c.address = ?`

	sentCodesSQL = `
		SELECT COUNT(*), COALESCE(MAX(made_at), 0)
		FROM account_code
		WHERE kind = ? AND address = ? AND purpose = ? AND known = ? AND made_at > ? AND made_at <= ?`

	goodCodesSQL = `
		SELECT id, hash
		FROM account_code
		WHERE kind = ? AND address = ? AND purpose = ? AND expires_at > ? AND expires_at <= ?`

	insertCodeSQL = `
		INSERT INTO account_code (id, purpose, kind, address, user_id, hash, made_at, expires_at, tries, known)
		VALUES (?, ?, ?, ?, '', ?, ?, ?, 0, ?)`

	openAskSQL = `
		SELECT 1
		FROM account_ask
		WHERE kind = ? AND address = ? AND purpose = ? AND user_id = ?`

	askSQL = `
		SELECT kind, address, user_id
		FROM account_ask
		WHERE id = ? AND purpose = ? AND expires_at > ? AND expires_at <= ?`

	putAskSQL = `
		INSERT INTO account_ask (id, purpose, kind, address, user_id, expires_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, address, purpose, user_id) DO UPDATE
		SET expires_at = excluded.expires_at, taken = 0
		RETURNING id`

	insertInvitationSQL = `
		INSERT INTO account_invitation (id, organisation, kind, address, role, hash, invited_by, made_at, expires_at, state, ended_at, receiver)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 0, ?)`

	countInvitedSQL = `
		INSERT INTO account_invited (organisation, receiver, sent, declined, last_at)
		VALUES (?, ?, 1, 0, ?)
		ON CONFLICT (organisation, receiver) DO UPDATE
		SET sent = account_invited.sent + 1, last_at = excluded.last_at`

	declinedSQL = `
		INSERT INTO account_invited (organisation, receiver, sent, declined, last_at)
		VALUES (?, ?, 1, 1, ?)
		ON CONFLICT (organisation, receiver) DO UPDATE
		SET declined = 1, last_at = excluded.last_at`

	invitationColumns = `id, organisation, kind, address, role, invited_by, made_at, expires_at, state, revision, ended_at`

	openInvitationSQL = `
		SELECT id, organisation, kind, address, role, receiver
		FROM account_invitation
		WHERE state = 'open' AND expires_at > ? AND `

	organisationColumns = `o.id, o.names, o.kinds, o.form, o.revision, o.created_at`

	tokenColumns = `id, prefix, name, organisation, scopes, created_at, expires_at, used_at, used_from, revoked_at, strong`

	organisationSQL = `
		SELECT ` + organisationColumns + `
		FROM organisation o
		WHERE o.id = ?`

	insertSessionSQL = `
		INSERT INTO login_session (id, hash, user_id, organisation, token, address, agent, strong, proved_at, created_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	putFactorSQL = `
		INSERT INTO account_factor (user_id, sealed, made_at, confirmed_at, last_step)
		VALUES (?, ?, ?, ?, 0)
		ON CONFLICT (user_id) DO UPDATE
		SET sealed = excluded.sealed, made_at = excluded.made_at, confirmed_at = excluded.confirmed_at, last_step = 0`

	putPlaceSQL = `
		INSERT INTO account_place (user_id, place, seen_at)
		VALUES (?, ?, ?)
		ON CONFLICT (user_id, place) DO UPDATE
		SET seen_at = excluded.seen_at`

	// The oldest sessions of a user beyond the newest few.
	trimSessionsSQL = `
		DELETE FROM login_session
		WHERE id IN (
			SELECT id FROM login_session
			WHERE user_id = ?
			ORDER BY created_at DESC, id DESC
			LIMIT 1000 OFFSET ?)`

	sessionsSQL = `
		SELECT id, organisation, token, address, agent, strong, created_at, used_at
		FROM login_session
		WHERE user_id = ?
		ORDER BY created_at DESC, id DESC
		LIMIT ?`

	sweepSessionsSQL = `
		DELETE FROM login_session
		WHERE id IN (
			SELECT id FROM login_session
			WHERE used_at < ?
			LIMIT 1000)`

	insertTokenSQL = `
		INSERT INTO api_token (id, prefix, hash, user_id, organisation, name, scopes, created_at, expires_at, used_from, strong, counted)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)`
)
