package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// refusal is how the API says what is wrong (RFC 9457), with what to do at the command line.
type refusal struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Where  string `json:"where"`
	Rule   string `json:"rule"` // of a measure: its kind and id
	Fix    string `json:"fix"`
	Flaws  []struct {
		Where string `json:"where"`
		Rule  string `json:"rule"`
		Fix   string `json:"fix"`
	} `json:"problems"` // every place that is wrong, where there are several
	Open []string `json:"open"` // of a conflict: the acts that are open now

	status int
	busy   bool   // another request with its key is being carried out
	what   string // method and path
	remedy string // what to do here; in the place of the fix, which is for programs
}

// Error implements error.
func (r *refusal) Error() string {
	mark := say(": ", "：")
	text := r.Title + mark + r.Detail
	if r.Title == "" {
		text = http.StatusText(r.status)
	}
	for _, f := range r.Flaws {
		if len(r.Flaws) == 1 {
			break // the detail says it
		}
		fix := f.Fix
		if strings.Contains(text, fix) {
			fix = "" // it was said of another place
		}
		text += "\n  " + strings.Join(slices.DeleteFunc([]string{f.Where, f.Rule, fix}, func(s string) bool { return s == "" }), mark)
	}
	if r.Code == "conflict" && len(r.Open) > 0 {
		text += "\n" + say("Open now: "+strings.Join(r.Open, ", ")+".", "当前可以执行："+strings.Join(r.Open, "、")+"。")
	}
	switch {
	case r.remedy != "":
		text += "\n" + r.remedy
	case r.Fix != "" && !strings.Contains(text, r.Fix):
		text += "\n" + say("What to do: "+r.Fix, r.Fix) // which begins with 请
	}
	return r.what + mark + inVerbs(text)
}

// refused is what the server says of a request that it refuses.
func refused(res *http.Response) error {
	r := &refusal{status: res.StatusCode, what: res.Request.Method + " " + res.Request.URL.Path}
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if json.Unmarshal(text, r) != nil {
		r.Title = ""
	}
	r.busy = res.StatusCode == http.StatusConflict && res.Header.Get("Retry-After") != ""
	r.remedy = remedy(r, res)
	return r
}

// measureID finds the id of a measure in the rule of a refusal.
var measureID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// remedy is what to do about a refusal that the program knows a verb for.
func remedy(r *refusal, res *http.Response) string {
	req := res.Request
	_, err := req.Cookie(cookieName)
	session := err == nil
	where := ""
	if base := req.URL.Scheme + "://" + req.URL.Host; base != defaultServer {
		where = " --server " + base
	}
	switch {
	case r.status == http.StatusTooManyRequests && res.Header.Get("Retry-After") != "":
		seconds := res.Header.Get("Retry-After")
		return say("Come back in "+seconds+" seconds.", "请在 "+seconds+" 秒后再试。")
	case r.status == http.StatusUnauthorized && session && r.Where == "session": // not a wrong code in one that holds
		return say("The session has ended. Sign in again: lampworks login", "会话已结束。请重新登录：lampworks login") + where
	case r.Code == "agreement":
		return say("See what is to be accepted: lampworks agreement outstanding", "查看待同意的协议：lampworks agreement outstanding") + where
	case r.Code == "suspended":
		measure := measureID.FindString(r.Rule)
		look := "lampworks enforce show " + measure
		if measure == "" {
			measure, look = "MEASURE", "lampworks enforce list"
		}
		return say("See the measure: "+look+where+". Appeal against it, as an owner: lampworks enforce appeal "+measure+" TEXT",
			"查看处置措施："+look+where+"。所有者可以申诉：lampworks enforce appeal "+measure+" TEXT") + where
	case r.Code != "second_factor":
		return ""
	case session:
		return say("Show a code of the second factor: lampworks prove"+where+". Without one yet: lampworks factor start",
			"出示第二因素的代码：lampworks prove"+where+"。还没有的，请先启用：lampworks factor start") + where
	case req.Header.Get("Authorization") != "":
		return say("A session can show one: lampworks login"+where+", without --token and LAMPWORKS_TOKEN.",
			"会话可以出示代码：lampworks login"+where+"，不带 --token 和 LAMPWORKS_TOKEN。")
	}
	return say("Sign in with --code, or on a terminal, where it is asked for.", "请带 --code 登录，或在终端登录时按提示输入。")
}
