package account

// What both holder statements give: id, organisation, created, used, API token, its end, when it was revoked, its scopes,
// then the user and the role in the organisation.
const (
	sessionHolderSQL = `
		SELECT s.id, s.organisation, s.created_at, s.used_at, s.token, t.expires_at, t.revoked_at, t.scopes,
			u.id, u.login, u.state, u.platform_role, COALESCE(m.role, '')
		FROM login_session s
		JOIN account_user u ON u.id = s.user_id
		LEFT JOIN member m ON m.organisation = s.organisation AND m.user_id = s.user_id
		LEFT JOIN api_token t ON t.id = s.token
		WHERE s.hash = ?`

	tokenHolderSQL = `
		SELECT t.id, t.organisation, t.created_at, t.used_at, t.id, t.expires_at, t.revoked_at, t.scopes,
			u.id, u.login, u.state, u.platform_role, COALESCE(m.role, '')
		FROM api_token t
		JOIN account_user u ON u.id = t.user_id
		LEFT JOIN member m ON m.organisation = t.organisation AND m.user_id = t.user_id
		WHERE t.hash = ?`

	userColumns = `id, login, email, platform_role, state, created_at`

	insertUserSQL = `
		INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
		VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?)`

	usersSQL = `
		SELECT ` + userColumns + `
		FROM account_user
		WHERE id > ?
		ORDER BY id
		LIMIT ?`

	organisationColumns = `o.id, o.names, o.kinds, o.created_at`

	// The second parameter is 1 for the operator, who sees all.
	organisationSQL = `
		SELECT ` + organisationColumns + `
		FROM organisation o
		WHERE o.id = ? AND (? OR o.id = ?)`

	organisationsSQL = `
		SELECT ` + organisationColumns + `
		FROM organisation o
		WHERE o.id > ?
		ORDER BY o.id
		LIMIT ?`

	membershipsSQL = `
		SELECT ` + organisationColumns + `, m.role
		FROM member m
		JOIN organisation o ON o.id = m.organisation
		WHERE m.user_id = ? AND o.id > ?
		ORDER BY o.id
		LIMIT ?`

	membersSQL = `
		SELECT m.organisation, m.user_id, u.login, m.role, m.created_at
		FROM member m
		JOIN account_user u ON u.id = m.user_id
		WHERE m.organisation = ? AND m.user_id > ?
		ORDER BY m.user_id
		LIMIT ?`

	insertSessionSQL = `
		INSERT INTO login_session (id, hash, user_id, organisation, token, address, created_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	// The oldest sessions of a user beyond the newest few.
	trimSessionsSQL = `
		DELETE FROM login_session
		WHERE id IN (
			SELECT id FROM login_session
			WHERE user_id = ?
			ORDER BY created_at DESC, id DESC
			LIMIT 1000 OFFSET ?)`

	sessionsSQL = `
		SELECT id, organisation, token, address, created_at, used_at
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
		INSERT INTO api_token (id, prefix, hash, user_id, organisation, name, scopes, created_at, expires_at, used_from)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')`

	tokensSQL = `
		SELECT id, prefix, name, organisation, scopes, created_at, expires_at, used_at, used_from, revoked_at
		FROM api_token
		WHERE user_id = ? AND organisation = ? AND id > ?
		ORDER BY id
		LIMIT ?`
)
