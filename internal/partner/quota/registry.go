package quota

import (
	"time"

	"lampworks/internal/infra/fault"
)

// A Limit is one row of the registry. Programs outside know it by its Name.
type Limit uint8

// The limits. Their order is that of the registry.
const (
	Products Limit = iota
	Members
	Tokens
	DebugTriples
	Triples
	OpenOrders
	Storage
	MACLists
	ListedMACs
	BurnLogs
	MessageRate
	MessageBytes
	DeviceMessageRate
	DeviceMessages
	DeviceBytes
	ConnectRate
	DeviceFilters
	DeviceUnderWay
	RequestRate
	Requests
	TokenRequestRate
	DeviceRequestRate
	DeviceRequests
	DeviceTexts
	UserTexts
	Texts
	UserMails
	UserStorage
	StrangerTexts
	StrangerMails
	Received
	Invitations
	UserInvitations
	Children
	Registrations
	limits // how many there are
)

// A Spec is what the registry says of a limit.
type Spec struct {
	Name    string            // stable
	Title   map[string]string // by language
	Unit    string            // what is counted, one word: "messages", "bytes"
	Of      string            // the kind of subject it is counted for
	Window  time.Duration     // of a rate; 0: a stock, or what is held
	Default int64
	Max     int64 // the most an override may give
}

const day = 24 * time.Hour

// Many is how many limits there are.
const Many = int(limits)

// registry is every limit there is. Windows begin at full seconds, minutes and days of UTC.
var registry = [limits]Spec{
	Products:          {"products", titles("产品数", "Products"), "products", KindOrganisation, 0, 500, 100_000},
	Members:           {"members", titles("成员数", "Members"), "members", KindOrganisation, 0, 500, 10_000},
	Tokens:            {"api_tokens", titles("API 令牌数", "API tokens"), "tokens", KindOrganisation, 0, 500, 10_000},
	DebugTriples:      {"debug_triples", titles("产品的调试三元组", "Debug triples of a product"), "triples", KindProduct, 0, 100, 10_000_000},
	Triples:           {"triples", titles("量产三元组总数", "Mass-production triples"), "triples", KindOrganisation, 0, 10_000_000, 1 << 40},
	OpenOrders:        {"open_orders", titles("未结的三元组申请", "Open orders of triples"), "orders", KindOrganisation, 0, 100, 10_000},
	Storage:           {"storage_bytes", titles("文件存储", "Stored files"), "bytes", KindOrganisation, 0, 5 << 30, 1 << 50},
	MACLists:          {"mac_lists", titles("自带 MAC 清单", "Lists of own addresses"), "lists", KindOrganisation, 0, 1_000, 100_000},
	ListedMACs:        {"listed_macs", titles("自带 MAC 地址数", "Own addresses in lists"), "addresses", KindOrganisation, 0, 20_000_000, 1 << 40},
	BurnLogs:          {"burn_logs", titles("烧录记录文件", "Burn logs"), "files", KindOrganisation, 0, 10_000, 1_000_000},
	MessageRate:       {"messages_per_second", titles("设备每秒上行消息", "Device messages a second"), "messages", KindOrganisation, time.Second, 50_000, 10_000_000},
	MessageBytes:      {"message_bytes_per_day", titles("设备每日上行流量", "Device traffic a day"), "bytes", KindOrganisation, day, 1 << 40, 1 << 60},
	DeviceMessageRate: {"device_messages_per_second", titles("单台设备每秒消息", "Messages of one device a second"), "messages", KindDevice, time.Second, 50, 1_000_000},
	DeviceMessages:    {"device_messages_per_day", titles("单台设备每日消息", "Messages of one device a day"), "messages", KindDevice, day, 1_000_000, 1 << 50},
	DeviceBytes:       {"device_message_bytes_per_day", titles("单台设备每日上行流量", "Traffic of one device a day"), "bytes", KindDevice, day, 1 << 30, 1 << 50},
	ConnectRate:       {"connects_per_second", titles("设备每秒连接", "Connects of devices a second"), "connects", KindOrganisation, time.Second, 5_000, 1_000_000},
	DeviceFilters:     {"device_subscriptions", titles("单台设备的订阅", "Subscriptions of one device"), "filters", KindDevice, 0, 256, 512},
	DeviceUnderWay:    {"device_messages_under_way", titles("单台设备未完成的消息", "Messages of one device under way"), "messages", KindDevice, 0, 256, 1_024},
	RequestRate:       {"requests_per_second", titles("服务端每秒调用", "Server calls a second"), "requests", KindOrganisation, time.Second, 1_000, 1_000_000},
	Requests:          {"requests_per_day", titles("服务端每日调用", "Server calls a day"), "requests", KindOrganisation, day, 20_000_000, 1 << 50},
	TokenRequestRate:  {"token_requests_per_second", titles("单个令牌每秒调用", "Server calls of one token a second"), "requests", KindToken, time.Second, 500, 1_000_000},
	DeviceRequestRate: {"device_requests_per_second", titles("对单台设备每秒请求", "Requests to one device a second"), "requests", KindDevice, time.Second, 50, 100_000},
	DeviceRequests:    {"device_requests_per_day", titles("对单台设备每日请求", "Requests to one device a day"), "requests", KindDevice, day, 500_000, 1 << 50},
	DeviceTexts:       {"device_sms_per_day", titles("单台设备每日短信", "Text messages of one device a day"), "messages", KindDevice, day, 10, 10_000},
	UserTexts:         {"user_sms_per_day", titles("单个用户每日短信", "Text messages to one person a day"), "messages", KindUser, day, 20, 10_000},
	UserMails:         {"user_mails_per_day", titles("发给单个用户的每日邮件", "Mails to one person a day"), "messages", KindUser, day, 50, 10_000},
	UserStorage:       {"user_storage_bytes", titles("单个用户的文件存储", "Stored files of one person"), "bytes", KindUser, 0, 100 << 20, 1 << 40},
	StrangerTexts:     {"stranger_sms_per_day", titles("陌生人向单个用户请求的每日短信", "Text messages to one person a day that strangers ask for"), "messages", KindUser, day, 20, 10_000},
	StrangerMails:     {"stranger_mails_per_day", titles("陌生人向单个用户请求的每日邮件", "Mails to one person a day that strangers ask for"), "messages", KindUser, day, 30, 10_000},
	Received:          {"received_invitations_per_day", titles("单个用户每日收到的邀请", "Invitations to one person a day"), "messages", KindUser, day, 10, 10_000},
	Invitations:       {"invitations_per_day", titles("每日邀请", "Invitations a day"), "invitations", KindOrganisation, day, 100, 100_000},
	UserInvitations:   {"user_invitations_per_day", titles("单个用户每日发出的邀请", "Invitations by one person a day"), "invitations", KindUser, day, 50, 100_000},
	Registrations:     {"registrations_per_hour", titles("单台设备每小时注册尝试", "Attempts of one device to register an hour"), "requests", KindDevice, time.Hour, 10, 1_000},
	Children:          {"sub_devices", titles("单个网关的子设备", "Sub-devices of a gateway"), "sub-devices", KindDevice, 0, 1_500, 4_000}, // all of them fit one answer of --mqtt-max-packet
	Texts:             {"sms_per_day", titles("每日短信", "Text messages a day"), "messages", KindOrganisation, day, 2_000, 10_000_000},
}

func titles(zh, en string) map[string]string { return map[string]string{"zh-CN": zh, "en": en} }

// Limits lists every limit there is, in the order of the registry.
func Limits() []Limit {
	all := make([]Limit, limits)
	for i := range all {
		all[i] = Limit(i)
	}
	return all
}

// Spec is what the registry says of l.
func (l Limit) Spec() *Spec { return &registry[l] }

// String is the stable name of l.
func (l Limit) String() string { return registry[l].Name }

// Stock says whether l counts what is there in rows, rather than what happens in a time.
func (l Limit) Stock() bool { return registry[l].Window == 0 && !l.Held() }

// Held says whether l bounds what one connection holds at a time. Who has the connection counts it; here is its value only.
func (l Limit) Held() bool { return l == DeviceFilters || l == DeviceUnderWay }

// ParseLimit finds the limit called name.
func ParseLimit(name string) (Limit, error) { return ParseLimitAt("/limit", name) }

// ParseLimitAt finds the limit called name, which was found at where.
func ParseLimitAt(where, name string) (Limit, error) {
	var names []string
	for _, l := range Limits() {
		if l.String() == name {
			return l, nil
		}
		names = append(names, l.String())
	}
	return 0, fault.Unlisted(where, name, names, "GET /api/v1/limits")
}
