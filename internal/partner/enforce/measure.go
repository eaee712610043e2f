package enforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
)

// A Kind is how hard a measure is.
type Kind string

// The kinds, from the mildest.
const (
	Warn           Kind = "warn"            // 警告
	SuspendService Kind = "suspend_service" // 暂停单项服务
	Suspend        Kind = "suspend"         // 暂停
	TakeDown       Kind = "take_down"       // 下架
	OrderDeletion  Kind = "order_deletion"  // 责令限期删除
	DeleteData     Kind = "delete_data"     // 删除数据
	Terminate      Kind = "terminate"       // 终止
)

// A What is something that a measure may refuse.
type What string

// What may be refused. A service by its name is [OfService].
const (
	Read      What = "read"     // people look at what is theirs
	Write     What = "write"    // people change what is theirs
	Control   What = "control"  // commands to devices, spoken or not
	Order     What = "order"    // triples are applied for and downloaded
	Publish   What = "publish"  // products and thing models are published
	Connect   What = "connect"  // devices have a session
	Uplink    What = "uplink"   // devices publish
	Export    What = "export"   // people take what is theirs away
	AppealTo  What = "appeal"   // people appeal
	anyOfThem      = "service:" // before the name of a service
)

// OfService is the use of one service by its name.
func OfService(name string) What { return What(anyOfThem + name) }

// An Effect is what one kind of measure refuses, and how it is called.
type Effect struct {
	Kind    Kind
	Title   map[string]string
	Refuses []What
}

// Effects is the one table of what measures refuse; suspend_service refuses the service that it names.
func Effects() []Effect {
	return []Effect{
		{Warn, titles("警告", "a warning"), nil},
		{SuspendService, titles("暂停单项服务", "suspension of a service"), nil},
		{Suspend, titles("暂停", "suspension"), []What{Write, Control, Order, Publish, Connect, Uplink}},
		{TakeDown, titles("下架", "take-down"), []What{Control, Order, Publish, Connect, Uplink}},
		{OrderDeletion, titles("责令限期删除", "order to delete"), []What{Order, Publish}},
		{DeleteData, titles("删除数据", "deletion of data"), []What{Write, Control, Order, Publish, Connect, Uplink}},
		{Terminate, titles("终止", "termination"), []What{Read, Write, Control, Order, Publish, Connect, Uplink}},
	}
}

func titles(zh, en string) map[string]string { return map[string]string{"zh-CN": zh, "en": en} }

// Titles are how a measure of the kind is called, by language.
func (k Kind) Titles() map[string]string {
	if e := effectOf(k); e != nil {
		return e.Title
	}
	return nil
}

func effectOf(k Kind) *Effect {
	all := Effects()
	for i := range all {
		if all[i].Kind == k {
			return &all[i]
		}
	}
	return nil
}

// Refuses says whether the measure, while it is in force, refuses what.
func (m *Measure) Refuses(what What) bool {
	if name, ok := strings.CutPrefix(string(what), anyOfThem); ok {
		if m.Kind == SuspendService {
			return m.Service == name
		}
		what = Write // a service is used by whoever may change something
	}
	e := effectOf(m.Kind)
	return e != nil && slices.Contains(e.Refuses, what)
}

// A Cause is a reason of the catalogue.
type Cause string

// Causes is the catalogue of reasons, in both languages.
func Causes() []struct {
	Cause Cause
	Title map[string]string
} {
	return []struct {
		Cause Cause
		Title map[string]string
	}{
		{"false_papers", titles("资料虚假或失效", "false or lapsed papers")},
		{"uncertified_product", titles("产品未通过认证", "a product that is not certified")},
		{"unsafe_product", titles("产品存在安全隐患", "a product that is not safe")},
		{"infringement", titles("侵犯他人权利", "rights of others infringed")},
		{"abnormal_use", titles("异常调用", "abnormal use")},
		{"secret_leak", titles("密钥或三元组泄露", "leaked secrets or triples")},
		{"data_misuse", titles("违规收集或使用数据", "data collected or used against the rules")},
		{"illegal_content", titles("违法违规内容", "illegal content")},
		{"breach_of_agreement", titles("违反协议", "a breach of the agreement")},
		{"authority_order", titles("主管机关要求", "an order of an authority")},
		{"on_request", titles("应开发者请求", "the developer asked for it")},
	}
}

// titleOf is a cause as people call it.
func titleOf(c Cause) string {
	for _, known := range Causes() {
		if known.Cause == c {
			return known.Title["en"]
		}
	}
	return string(c)
}

// listed is where kinds and causes are read.
const listed = "GET /api/v1/enforcement/catalogue"

func causes() (all []Cause) {
	for _, known := range Causes() {
		all = append(all, known.Cause)
	}
	return all
}

// A State is where a measure stands.
type State string

// The states of a measure. The last two are ends.
const (
	Scheduled State = "scheduled"
	InForce   State = "in_force"
	Ended     State = "ended"
	Lifted    State = "lifted"
)

// An Act moves a measure.
type Act string

// The acts upon a measure.
const (
	Start Act = "start"
	End   Act = "end"
	Lift  Act = "lift"

	FileAppeal  Act = "appeal" // by the organisation, in its time; moves no measure
	FulfilOrder Act = "fulfil" // an order to delete
)

func clock(who access.Actor) bool { return who.Platform() }
func operator(who access.Actor) bool {
	return who.Everywhere() && (who.May(access.Enforce) || who.May(access.DecideAppeal))
}

// moves is the life of a measure. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Scheduled, Act: Start, To: InForce, May: clock},
	{From: Scheduled, Act: Lift, To: Lifted, May: operator},
	{From: InForce, Act: End, To: Ended, May: clock},
	{From: InForce, Act: Lift, To: Lifted, May: operator},
}

// A Measure is one measure against one subject.
type Measure struct {
	ID           string
	Subject      Subject
	Organisation string
	Kind         Kind
	Service      string
	State        State
	Cause        Cause
	Reason       string
	Evidence     []string
	By           string // user id
	Created      time.Time
	Starts, Ends time.Time // Ends zero: no end
	Due          time.Time
	AppealUntil  time.Time
	Closed       time.Time
	ClosedBy     string
	Closing      string
}

// Open lists the acts that who may do with the measure now.
func (m *Measure) Open(who access.Actor, now time.Time) []Act {
	open := moves.Open(m.State, who)
	if !m.Closed.IsZero() || !who.May(access.Appeal) {
		return open
	}
	if now.Before(m.AppealUntil) {
		open = append(open, FileAppeal)
	}
	if m.Kind == OrderDeletion && m.State == InForce {
		open = append(open, FulfilOrder)
	}
	return open
}

// Limits of what is written.
const (
	maxReason   = 4000
	maxEvidence = 100
)

func (n *NewMeasure) check(now time.Time, hold time.Duration) error {
	switch {
	case !slices.Contains([]string{KindOrganisation, KindProduct, KindBatch, KindDevice}, n.Subject.Kind) || n.Subject.ID == "":
		return fault.Invalid("/subject", n.Subject.Kind+" "+n.Subject.ID, "an organisation, product, batch or device by its id", "")
	case effectOf(n.Kind) == nil:
		return fault.Unlisted("/kind", string(n.Kind), kinds(), listed)
	case (n.Kind == SuspendService) != (n.Service != ""):
		return fault.Invalid("/service", n.Service, "the name of a service with suspend_service, and nothing otherwise", "")
	case !slices.Contains(causes(), n.Cause):
		return fault.Unlisted("/cause", string(n.Cause), causes(), listed)
	case n.Reason == "" || len(n.Reason) > maxReason:
		return fault.Invalid("/reason", n.Reason, fmt.Sprintf("1 to %d bytes that the organisation will read", maxReason), "")
	case len(n.Evidence) > maxEvidence:
		return fault.Limit("/evidence", fmt.Sprint(len(n.Evidence)), fmt.Sprintf("%d ids", maxEvidence), 0)
	case !n.Ends.IsZero() && !n.Ends.After(n.Starts):
		return fault.Invalid("/ends", fault.Stamp(n.Ends), "a time later than the start", "")
	}
	return n.checkDue(now, hold)
}

func (n *NewMeasure) checkDue(now time.Time, hold time.Duration) error {
	earliest := n.Starts.Add(hold)
	switch {
	case n.Kind == OrderDeletion && !n.Due.After(now):
		return fault.Invalid("/due", fault.Stamp(n.Due), "a time to come by which it is to be deleted", "")
	case n.Kind == OrderDeletion && !n.Due.After(n.Starts):
		return fault.Invalid("/due", fault.Stamp(n.Due), "a time later than the start", "")
	case n.Kind == DeleteData && !n.Ends.IsZero():
		return fault.Invalid("/ends", fault.Stamp(n.Ends), "nothing: what is deleted stays deleted", "")
	case n.Kind == DeleteData && n.Starts.After(now):
		return fault.Invalid("/starts", fault.Stamp(n.Starts), "nothing: a deletion is announced now and held", "say in due when it may begin")
	case n.Kind == DeleteData && n.Due.IsZero():
		n.Due = earliest
	case n.Kind == DeleteData && n.Due.Before(earliest):
		return fault.Invalid("/due", fault.Stamp(n.Due), "a time not before "+fault.Stamp(earliest)+", so that it can be called back", "")
	case n.Kind != OrderDeletion && n.Kind != DeleteData && !n.Due.IsZero():
		return fault.Invalid("/due", fault.Stamp(n.Due), "nothing for "+string(n.Kind), "")
	}
	return nil
}

func kinds() (all []Kind) {
	for _, e := range Effects() {
		all = append(all, e.Kind)
	}
	return all
}
