package account

import (
	"fmt"
	"strings"
	"time"

	"lampworks/internal/infra/outbox"
)

// room is whose the messages of this room are.
const room = "account"

// A letter is one of the messages that people get, in both languages. {code} stands for what only the recipient may know.
type letter struct {
	subject, body map[string]string
}

// to addresses a letter.
func (l *letter) to(c Contact, lang, code string) outbox.Message {
	if lang != "zh-CN" {
		lang = "en"
	}
	m := outbox.Message{Room: room, Kind: c.Kind, To: c.Address, Body: strings.ReplaceAll(l.body[lang], "{code}", code)}
	if c.Kind == outbox.Mail {
		m.Subject = l.subject[lang]
	}
	return m
}

// lasting addresses a letter that is of use for a while only.
func (l *letter) lasting(c Contact, lang string, code Code, life time.Duration) outbox.Message {
	m := l.to(c, lang, code.Reveal())
	m.Body = strings.ReplaceAll(m.Body, "{life}", lifeText(lang, life))
	m.Useful = life
	return m
}

// lifeText says how long something holds.
func lifeText(lang string, life time.Duration) string {
	n, unit := int(life/time.Minute), [2]string{"minutes", "分钟"}
	if n >= 60 {
		n, unit = n/60, [2]string{"hours", "小时"}
	}
	if lang == "zh-CN" {
		return fmt.Sprintf("%d %s", n, unit[1])
	}
	if n == 1 {
		unit[0] = strings.TrimSuffix(unit[0], "s")
	}
	return fmt.Sprintf("%d %s", n, unit[0])
}

var (
	letterCode = &letter{
		map[string]string{"en": "Your Lampworks code", "zh-CN": "Lampworks 验证码"},
		map[string]string{
			"en":    "Your Lampworks code is {code}. It is good for {life}. If you did not ask for it, ignore this message.",
			"zh-CN": "您的 Lampworks 验证码是 {code}，{life}内有效。如果不是您本人操作，请忽略这条消息。",
		},
	}
	letterTaken = &letter{
		map[string]string{"en": "Your Lampworks account", "zh-CN": "您的 Lampworks 账号"},
		map[string]string{
			"en":    "Somebody asked to use this address for a Lampworks account, but there is one with it already. If it was you, sign in, or reset the password. Otherwise ignore this message.",
			"zh-CN": "有人想用这个地址登记 Lampworks 账号，但已有账号使用它。如果是您本人，请直接登录或重设密码；否则请忽略这条消息。",
		},
	}
	letterUnknown = &letter{
		map[string]string{"en": "No Lampworks account", "zh-CN": "没有 Lampworks 账号"},
		map[string]string{
			"en":    "Somebody asked to reset the password of a Lampworks account with this address, but there is none. If it was you, try another address. Otherwise ignore this message.",
			"zh-CN": "有人请求重设使用这个地址的 Lampworks 账号的密码，但没有这样的账号。如果是您本人，请换一个地址试试；否则请忽略这条消息。",
		},
	}
	letterContact = &letter{
		map[string]string{"en": "Your Lampworks contact was changed", "zh-CN": "您的 Lampworks 联系方式已更改"},
		map[string]string{
			"en":    "A contact of your Lampworks account was changed. If it was not you, tell the operator at once.",
			"zh-CN": "您的 Lampworks 账号的联系方式已更改。如果不是您本人操作，请立即联系平台操作员。",
		},
	}
	letterPassword = &letter{
		map[string]string{"en": "Your Lampworks password was changed", "zh-CN": "您的 Lampworks 密码已更改"},
		map[string]string{
			"en":    "The password of your Lampworks account was changed, and all other sessions were ended. If it was not you, tell the operator at once.",
			"zh-CN": "您的 Lampworks 账号的密码已更改，其他会话均已结束。如果不是您本人操作，请立即联系平台操作员。",
		},
	}
	letterPlace = &letter{
		map[string]string{"en": "A sign-in from a new place", "zh-CN": "从新的地方登录"},
		map[string]string{
			"en":    "Somebody signed in to your Lampworks account from a place it was not used from before. If it was not you, change the password and end the session.",
			"zh-CN": "有人从未曾用过的地方登录了您的 Lampworks 账号。如果不是您本人操作，请更改密码并结束该会话。",
		},
	}
	letterFactor = &letter{
		map[string]string{"en": "Your second factor was reset", "zh-CN": "您的第二因素已重置"},
		map[string]string{
			"en":    "The operator reset the second factor of your Lampworks account. If you did not ask for it, tell the operator at once.",
			"zh-CN": "平台操作员重置了您的 Lampworks 账号的第二因素。如果不是您本人要求，请立即联系平台操作员。",
		},
	}
	letterGuardian = &letter{
		map[string]string{"en": "A guardian's consent", "zh-CN": "监护人同意"},
		map[string]string{
			"en":    "Somebody named you as guardian, to consent to their use of Lampworks. If you consent, give them this code: {code}. Otherwise ignore this message.",
			"zh-CN": "有人将您列为监护人，请您同意其使用 Lampworks。如果同意，请把此代码告诉对方：{code}；否则请忽略这条消息。",
		},
	}
	letterInvitation = &letter{
		map[string]string{"en": "An invitation to Lampworks", "zh-CN": "Lampworks 邀请"},
		map[string]string{
			"en":    "You are invited to work with an organisation on Lampworks. Decline it by this code to hear no more of them for a while, or accept by it within 7 days: {code}",
			"zh-CN": "邀请您加入 Lampworks 上的一个组织。可凭此代码谢绝，一段时间内不再收到该组织的邀请；或在 7 天内凭它接受：{code}",
		},
	}
)
