package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestBurnLog(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	pid := fmt.Sprint(w.want(w.call(w.owner, "GET", "/api/v1/products/"+m.product, ""), 200).get("product_id"))
	file := fmt.Sprintf("product_id,mac,result,time,station\n%[1]s,%[2]s,pass,2026-01-02T03:04:05Z,1\n%[1]s,%[2]s,pass,2026-01-02T03:04:06Z,1\n%[1]s,78da07ffffff,pass,2026-01-02T03:04:07Z,=cmd\n", pid, m.deviceName)
	id := w.want(w.call(w.owner, "POST", "/api/v1/orders/"+m.order+"/burn-logs?name=line+1", file, "Content-Type", "text/csv"), 201).id()
	var l answer
	w.eventually("the burn log is read", func() bool {
		l = w.want(w.call(w.owner, "GET", "/api/v1/burn-logs/"+id, ""), 200)
		return l.text("state") == "done"
	})
	if l.get("burned") != 1.0 || l.get("doubled") != 1.0 || l.get("foreign") != 1.0 || l.get("lines") != 3.0 {
		t.Errorf("the burn log is %s", l.body)
	}
	if again := w.want(w.call(w.owner, "POST", "/api/v1/orders/"+m.order+"/burn-logs", file, "Content-Type", "text/csv"), 201); again.id() != id {
		t.Errorf("the same file again is %s", again.body)
	}
	rows := w.want(w.call(w.owner, "GET", "/api/v1/burn-logs/"+id+"/rows?format=csv", ""), 200)
	if got := strings.Split(strings.TrimSpace(string(rows.body)), "\n"); len(got) != 3 || !strings.HasPrefix(got[1], "3,double,"+m.deviceName) || !strings.HasPrefix(got[2], "4,foreign,78da07ffffff") {
		t.Errorf("the report is %q", got)
	}
	rules := w.want(w.call(w.owner, "GET", "/api/v1/burn-logs/"+id+"/rows", "", "Accept-Language", "zh-CN"), 200)
	if first, second := rules.text("items/0/rule"), rules.text("items/1/rule"); !strings.HasPrefix(first, "地址只能烧录一次；记录 ") || second != "本订单的地址；它不属于该组织的任何订单" {
		t.Errorf("the rules in Chinese are %q and %q", first, second)
	}
	st := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order+"/burn-status", ""), 200)
	if st.get("quantity") != 3.0 || st.get("burned") != 1.0 || st.get("missing") != 2.0 {
		t.Errorf("the status is %s", st.body)
	}
	missing := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order+"/unburned?limit=1", ""), 200)
	if missing.text("items/0/mac") == "" || missing.text("next_cursor") == "" {
		t.Errorf("missing are %s", missing.body)
	}
	if burns := w.want(w.call(w.owner, "GET", "/api/v1/orders/"+m.order+"/burns?result=burned", ""), 200); burns.text("items/0/mac") != m.deviceName {
		t.Errorf("burned are %s", burns.body)
	}
}
