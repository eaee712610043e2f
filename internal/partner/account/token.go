package account

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// letters is how random bytes are written in tokens and codes: 5 bits a character, none that need escaping anywhere.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	sessionMark = "lws_"
	tokenMark   = "lw_"
	prefixChars = 8  // of an API token, shown in lists: 40 bits
	secretChars = 52 // 256 bits
	codeChars   = 26 // 128 bits
)

type tokenKind uint8

const (
	noToken tokenKind = iota
	sessionToken
	apiToken
)

// newSessionToken draws 256 bits: "lws_" and 52 characters.
func newSessionToken() Token {
	return Token{hide(sessionMark + letters.EncodeToString(random(32)))}
}

// newAPIToken draws 40 bits to find it by and 256 to hold: "lw_<prefix>_<secret>".
func newAPIToken() (prefix string, t Token) {
	prefix = letters.EncodeToString(random(5))
	return prefix, Token{hide(tokenMark + prefix + "_" + letters.EncodeToString(random(32)))}
}

// kindOf tells a token by its form. What has none is refused without a look at the tables.
func kindOf(token string) tokenKind {
	if rest, ok := strings.CutPrefix(token, sessionMark); ok && len(rest) == secretChars {
		return sessionToken
	}
	if rest, ok := strings.CutPrefix(token, tokenMark); ok && len(rest) == prefixChars+1+secretChars && rest[prefixChars] == '_' {
		return apiToken
	}
	return noToken
}

// digest is what is stored of a token. The 256 bits in it need no slow hash.
func digest(token string) [sha256.Size]byte {
	var b [80]byte // longer than any token, so that nothing is allocated
	return sha256.Sum256(b[:copy(b[:], token)])
}
