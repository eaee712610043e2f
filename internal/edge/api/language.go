package api

import (
	"context"

	"golang.org/x/text/language"

	"lampworks/internal/edge/api/phrase"
	"lampworks/internal/infra/fault"
)

// The languages of texts for people.
const (
	english = "en"
	chinese = "zh-CN"
)

// languageOf is the language of texts for who sent this Accept-Language; English for others.
func languageOf(accept string) string {
	if len(accept) > 256 {
		return english
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(wanted) == 0 {
		return english
	}
	for _, tag := range wanted {
		switch base, _ := tag.Base(); base.String() {
		case "zh":
			return chinese
		case "en":
			return english
		}
	}
	return english
}

// A saying puts a sentence that rooms have in English into a language.
type saying func(english string) string

func asItIs(english string) string { return english }

// spoken is the saying of who asks, for answers that tell what is missing as a refusal would.
func spoken(ctx context.Context) saying {
	if callOf(ctx).language == chinese {
		return phrase.Chinese().Say
	}
	return asItIs
}

// titles names each kind of problem in one phrase. What is wrong in particular is the detail: see package phrase.
var titles = map[string]map[string]string{
	english: {
		string(fault.Malformed):    "invalid",
		string(fault.NoActor):      "unauthenticated",
		string(fault.NotAllowed):   "forbidden",
		string(fault.SecondFactor): "second factor needed",
		string(fault.Missing):      "not found",
		string(fault.Clash):        "conflict",
		string(fault.Outdated):     "stale",
		string(fault.OverLimit):    "limit",
		string(fault.TooBig):       "too large",
		string(fault.NotSupported): "unsupported",
		string(fault.Down):         "unavailable",
		string(fault.Lapsed):       "expired",
		string(fault.Agreement):    "agreement missing",
		string(fault.Unsure):       "unconfirmed",
		string(fault.Suspended):    "suspended",
		codeInternal:               "internal",
		codeCancelled:              "cancelled",
		codeMethod:                 "method not allowed",
		codeMedia:                  "media type",
		codeSlow:                   "timeout",
	},
	chinese: {
		string(fault.Malformed):    "内容不合规则",
		string(fault.NoActor):      "尚未登录",
		string(fault.NotAllowed):   "没有权限",
		string(fault.SecondFactor): "需要第二因素验证",
		string(fault.Missing):      "找不到",
		string(fault.Clash):        "与当前状态冲突",
		string(fault.Outdated):     "已被他人修改",
		string(fault.OverLimit):    "超出限额",
		string(fault.TooBig):       "内容过大",
		string(fault.NotSupported): "不支持",
		string(fault.Down):         "暂时不可用",
		string(fault.Lapsed):       "已过期",
		string(fault.Agreement):    "需先同意协议",
		string(fault.Unsure):       "结果未知",
		string(fault.Suspended):    "已被处置",
		codeInternal:               "平台内部错误",
		codeCancelled:              "请求已放弃",
		codeMethod:                 "不支持该方法",
		codeMedia:                  "内容类型不对",
		codeSlow:                   "请求超时",
	},
}
