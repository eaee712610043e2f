package pairing

const (
	putTokenSQL = `
		INSERT INTO pairing_token (device, hash, epoch, expires_at, used_at)
		VALUES (?, ?, ?, ?, 0)
		ON CONFLICT (device) DO UPDATE
		SET hash = excluded.hash, epoch = excluded.epoch, expires_at = excluded.expires_at, used_at = 0`

	tokenSQL = `
		SELECT t.device, t.epoch, t.expires_at, t.used_at, d.name, d.product, d.organisation
		FROM pairing_token t
		JOIN device d ON d.id = t.device
		WHERE t.hash = ?`

	claimColumns = "id, home, resident, device, room, names, aliases, state, reason, made_at, expires_at"

	insertClaimSQL = `
		INSERT INTO pairing_claim (` + claimColumns + `, hash, epoch)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// Claims that wait for the button of a device and showed another token than it has now, or one of another session.
	overtakeSQL = `
		UPDATE pairing_claim
		SET state = 'refused', reason = ?
		WHERE device = ? AND state = 'waiting_for_button' AND expires_at > ? AND (hash <> ? OR epoch <> ?)`

	waitingSQL = `
		SELECT ` + claimColumns + `
		FROM pairing_claim
		WHERE device = ? AND state = 'waiting_for_button' AND expires_at > ?
		ORDER BY id
		LIMIT 1`

	pressedSQL = `
		SELECT ` + claimColumns + `
		FROM pairing_claim
		WHERE device = ? AND state = 'waiting_for_button' AND expires_at > ? AND hash = ? AND epoch = ?
		ORDER BY id
		LIMIT 1`

	putTrySQL = `
		INSERT INTO pairing_try (who, wrong, until)
		VALUES (?, 1, ?)
		ON CONFLICT (who) DO UPDATE
		SET wrong = CASE WHEN pairing_try.until > ? THEN pairing_try.wrong + 1 ELSE 1 END,
			until = CASE WHEN pairing_try.until > ? THEN pairing_try.until ELSE excluded.until END
		RETURNING wrong, until`
)
