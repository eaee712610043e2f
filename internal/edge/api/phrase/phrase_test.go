package phrase

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// TestFaults has one refusal of every kind that package fault makes, and of those that repeat what somebody else said.
func TestFaults(t *testing.T) {
	suspended := fault.Forbidden("product.write", "role owner or engineer")
	for _, tt := range []struct {
		in              *fault.Fault
		want, rule, fix string
	}{
		{fault.Invalid("/names/en", "", "1 to 100 characters, no control characters", "say why"), "/names/en 为空，应为 1 到 100 个字符，不含控制字符", "1 到 100 个字符，不含控制字符", "请说明原因"},
		{fault.Invalid("/kind", "lamp, want nothing", "one of light, fan", ""), "/kind 是 lamp, want nothing，应为以下之一：light, fan", "以下之一：light, fan", ""},
		{fault.Invalid("/limit", "501", "an integer from 1 to 500", "ask for fewer and follow the cursor"), "/limit 是 501，应为 1 到 500 的整数", "1 到 500 的整数", "请少取一些，再用 cursor 继续"},
		{fault.Unauthenticated("nobody is signed in"), "尚未登录", "", "请登录，或用 Authorization: Bearer 发送 API 令牌"},
		{suspended, "不允许编辑产品：需要所有者或工程师角色", "所有者或工程师角色", ""},
		{fault.Forbidden("making a chip", "an organisation of the kind chip_maker"), "不允许创建芯片产品：需要类型为芯片制造商的组织", "类型为芯片制造商的组织", ""},
		{fault.Forbidden("adding evidence", ""), "不允许添加证据", "", ""},
		{fault.NotFound("MAC list", "order"), "没有 MAC 清单“order”", "", ""},
		{fault.Closed("publish", "mass_production", []string(nil)), "处于“量产”状态时不能发布", "", ""},
		{fault.Stale("draft of product", "17"), "产品草稿“17”已被他人修改", "", "请重新载入后再操作"},
		{fault.Limit("debug_triples", "1000001", "100 triples for each product", time.Second), "产品的调试三元组是 1000001，限额为每个产品 100 个三元组", "每个产品 100 个三元组", ""},
		{fault.Limit("requests_per_second", "used up", "1000 requests a second for each organisation", time.Second), "服务端每秒调用已用完，限额为每个组织每秒 1000 次请求", "每个组织每秒 1000 次请求", ""},
		{fault.TooLarge("the file", 17, 16), "文件有 17 字节，最多 16 字节", "不超过 16 字节", ""},
		{fault.Unsupported("/contact", "pigeon", "what the operator has configured"), "/contact 是 pigeon，支持的是运营者已配置的方式", "运营者已配置的方式", ""},
		{fault.Unavailable("the disk of the database is full", nil), "数据库所在的磁盘已满", "", ""},
		{fault.Unconfirmed("the database went away while this was being written", nil), "写入时数据库断开；无法确定是否已经执行", "", "重复之前请先查看结果；带有 Idempotency-Key 的请求可以原样重发"},
		{fault.Expired("appeal until 2026-01-01 against measure", "17"), "申诉期至 2026-01-01，针对处置措施“17”已过期", "", ""},
		{&fault.Fault{What: "order is refused: organisation is under suspension (measure 17) until 2026-01-01T00:00:00Z, because of a product that is not safe: it burns; or melts"}, "不能申请三元组：组织因“产品存在安全隐患”处于“暂停”之下（处置措施 17），至 2026-01-01T00:00:00Z 为止，理由：“it burns; or melts”", "", ""},
		{&fault.Fault{What: `not accepted yet: "Terms, of all" / "服务条款" (version 2, by the organisation), "A" / "甲" (version 1, by the user)`}, "尚未同意：“服务条款”（版本 2，由组织同意）、“甲”（版本 1，由用户同意）", "", ""},
		{&fault.Fault{What: "certify waits: 2 things are missing: names in zh-CN and en; papers in force: ccc"}, "暂不能认证，还缺 2 项：zh-CN 和 en 的名称；有效的证件：ccc", "", ""},
		{&fault.Fault{What: "publish waits: 3 things are missing: papers in force: ccc, srrc; names in zh-CN and en; product 17 is not certified"}, "暂不能发布，还缺 3 项：有效的证件：ccc、srrc；zh-CN 和 en 的名称；产品 17 没有通过认证", "", ""},
		{fault.Invalid("/file", "image/gif", "a file of the type image/png or image/jpeg", ""), "/file 是 image/gif，应为类型为 image/png 或 image/jpeg 的文件", "类型为 image/png 或 image/jpeg 的文件", ""},
		{&fault.Fault{What: "the thing model has a problem: the document is not JSON near byte 7 (a name in quotes is missing), want one JSON object; send well-formed JSON"}, "物模型有一处问题：文档在第 7 字节附近不是 JSON（缺少带引号的名称），应为一个 JSON 对象；请发送格式正确的 JSON", "", ""},
		{&fault.Fault{What: "something that no room says"}, "something that no room says", "", ""},
	} {
		f := tt.in
		if got := Chinese().Detail(f.Sentence(), f.Where, f.Got, f.Rule); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", f.Sentence(), got, tt.want)
		}
		if got := Chinese().Say(f.Rule); got != tt.rule {
			t.Errorf("%s: the rule\n got %s\nwant %s", f.Sentence(), got, tt.rule)
		}
		if got := Chinese().Say(f.Fix); got != tt.fix {
			t.Errorf("%s: the fix\n got %s\nwant %s", f.Sentence(), got, tt.fix)
		}
	}
}

// TestLibraries holds what encoding/json says of broken JSON, in a body and in a thing model, against the catalogue.
func TestLibraries(t *testing.T) {
	for _, broken := range []string{`{`, `{"a`, `{"a":}`, `{a:1}`, `{"a":1 "b"}`, `[1 2]`, `[tru]`, `{"a":"\x"}`, `{"a":-}`, "{\"a\":\"\n\"}", `{"a":"\u00g0"}`, `]`, ``} {
		got := Chinese().Say(json.Unmarshal([]byte(broken), new(any)).Error())
		if residue(got) != "" || !strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %s", broken, got)
		}
		err := json.Compact(new(bytes.Buffer), []byte(broken))
		if got := Chinese().Say(err.Error()); residue(got) != "" {
			t.Errorf("%s, compact: %s", broken, got)
		}
		if _, err := tsl.Parse([]byte(broken)); residue(Chinese().Say("the thing model has a problem: "+strings.Split(err.Error(), "\n")[0])) != "" {
			t.Errorf("%s as a thing model: %s", broken, Chinese().Say("the thing model has a problem: "+err.Error()))
		}
	}
}

func TestBrokenCatalogue(t *testing.T) {
	for _, tt := range []struct{ english, other, want string }{
		{"a {} of {}", "{3}", `"{3}" has a hole 3, the sentence 2 of them`},
		{"a {}", "[] 和 {}", `"[] 和 {}" has a hole 2, the sentence 1 of them`},
		{"nobody is signed in", "无人", "it is there twice"},
		{"role {}", "无人", "it is there twice"},
	} {
		x := newIndex()
		_ = x.add("nobody is signed in", "尚未登录")
		_ = x.add("role {}", "[]角色")
		if err := x.add(tt.english, tt.other); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.english, err, tt.want)
		}
	}
}

// FuzzSay says that whatever rooms and people say comes back in bounded time and size, and without a panic.
func FuzzSay(f *testing.F) {
	f.Add("not accepted yet: a, b or c; d", "/x", "got", "one of a; b")
	f.Add(strings.Repeat("; ", 99), "", "{}", strings.Repeat(" or ", 99))
	f.Add("the document is not JSON: invalid character '}' looking for beginning of value, want x, want y", "the document", "", "")
	f.Fuzz(func(t *testing.T, sentence, where, got, rule string) {
		for _, said := range []string{Chinese().Say(sentence), Chinese().Detail(sentence, where, got, rule)} {
			if len(said) > 16*len(sentence)+1024 {
				t.Errorf("%q became %d bytes", sentence, len(said))
			}
		}
	})
}

func BenchmarkProblem(b *testing.B) {
	all := []*fault.Fault{
		fault.Invalid("/names/en", "", "1 to 100 characters, no control characters", "say why"),
		fault.Limit("requests_per_second", "used up", "1000 requests a second for each organisation", time.Second),
		{What: "order is refused: organisation is under suspension (measure 17) until 2026-01-01T00:00:00Z, because of a product that is not safe: it burns; or melts", Where: "organisation"},
		{What: "certify waits: 2 things are missing: names in zh-CN and en; papers in force: ccc", Fix: "PATCH /api/v1/products/{product}"},
		{What: "something that no room says, and that is long; of many parts; as many as there may be; and or or; not, to, be, found", Rule: "nor this", Fix: "nor that"},
	}
	for i, f := range all {
		b.Run(fmt.Sprint(i), func(b *testing.B) {
			book := Chinese()
			b.ReportAllocs()
			for b.Loop() {
				book.Detail(f.Sentence(), f.Where, f.Got, f.Rule)
				book.Say(f.Rule)
				book.Say(f.Fix)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read(files, "zh-CN"); err != nil {
			b.Fatal(err)
		}
	}
}
