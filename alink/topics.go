package alink

import "strings"

// A Template is one row of the table of topics: all a device may publish to or hear from. The zero value is no row.
type Template uint8

// The rows, grouped as a maker meets them. A name that ends in Reply answers the row before it.
const (
	PropertyPost Template = iota + 1
	PropertyPostReply
	EventPost // arg: the event's identifier
	EventPostReply
	PropertySet
	PropertySetReply
	ServiceInvoke // arg: the service's identifier
	ServiceReply
	PropertyGet
	PropertyGetReply
	HistoryPost
	HistoryPostReply
	DesiredGet
	DesiredGetReply
	DesiredDelete
	DesiredDeleteReply
	TagUpdate
	TagUpdateReply
	TagDelete
	TagDeleteReply
	TemplateGet
	TemplateGetReply
	DynamicModelGet
	DynamicModelGetReply
	RawUp // payload is not JSON
	RawUpReply
	RawDown
	RawDownReply
	ConfigGet
	ConfigGetReply
	ConfigPush
	ConfigPushReply
	LogPost
	LogPostReply
	RRPCRequest // arg: the message id
	RRPCResponse
	Enable
	EnableReply
	Disable
	DisableReply
	Delete
	DeleteReply
	CloudNotify
	Reset
	ResetReply
	EnrolleeFound
	EnrolleeFoundReply
	EnrolleeCheckin
	EnrolleeCheckinReply
	EnrolleeMatch
	EnrolleeMatchReply
	CipherGet
	CipherGetReply
	SubRegister
	SubRegisterReply
	SubUnregister
	SubUnregisterReply
	TopoAdd
	TopoAddReply
	TopoDelete
	TopoDeleteReply
	TopoGet
	TopoGetReply
	TopoAddNotify
	TopoAddNotifyReply
	ListFound
	ListFoundReply
	GatewayPermit
	GatewayPermitReply
	ProductRegister
	ProductRegisterReply
	CombineLogin
	CombineLoginReply
	CombineLogout
	CombineLogoutReply
	NTPRequest
	NTPResponse
	Error
	Registered // the one topic without names: the secret for a connection of dynamic registration
	OTAInform
	OTAUpgrade
	OTARequest
	OTAProgress
	ShadowUpdate
	ShadowGet
	User    // arg: everything behind /user/
	ExtRRPC // arg: everything behind /ext/rrpc/, the message id first

	// Numbers of rows stand in records that are kept: what is new follows here.

	PackPost
	PackPostReply
	BatchPost
	BatchPostReply
	TopoChange
	TopoChangeReply
	BatchLogin
	BatchLoginReply
	BatchLogout
	BatchLogoutReply
	templateEnd // one behind the last row
)

// A Direction says who publishes to a topic.
type Direction uint8

// Directions are bits: Both is Up and Down.
const (
	Up   Direction = 1 << iota // device to platform
	Down                       // platform to device
	Both = Up | Down
)

// row is one line of the table. In a topic {pk} and {dn} are ProductKey and DeviceName, {id} is one level, {rest} is one or more.
type row struct {
	topic   string
	dir     Direction
	reply   Template // the row that answers this one, 0: none
	now     bool     // the platform does something with it today
	gateway bool     // only a device that has sub-devices may use it
}

// rows is THE table. Sources: protocols of Link Kit for C v3.2.0 and alibabacloud-iot-device-sdk 1.2.8 for JavaScript; batch/post is of Link SDK for C v4;
// topo/change and the batches of combine of Alibaba's help pages on sub-devices.
var rows = [templateEnd]row{
	PropertyPost:         {"/sys/{pk}/{dn}/thing/event/property/post", Up, PropertyPostReply, true, false},
	PropertyPostReply:    {"/sys/{pk}/{dn}/thing/event/property/post_reply", Down, 0, true, false},
	EventPost:            {"/sys/{pk}/{dn}/thing/event/{id}/post", Up, EventPostReply, true, false},
	EventPostReply:       {"/sys/{pk}/{dn}/thing/event/{id}/post_reply", Down, 0, true, false},
	PropertySet:          {"/sys/{pk}/{dn}/thing/service/property/set", Down, PropertySetReply, true, false},
	PropertySetReply:     {"/sys/{pk}/{dn}/thing/service/property/set_reply", Up, 0, true, false},
	ServiceInvoke:        {"/sys/{pk}/{dn}/thing/service/{id}", Down, ServiceReply, true, false},
	ServiceReply:         {"/sys/{pk}/{dn}/thing/service/{id}_reply", Up, 0, true, false},
	PropertyGet:          {"/sys/{pk}/{dn}/thing/service/property/get", Down, PropertyGetReply, true, false},
	PropertyGetReply:     {"/sys/{pk}/{dn}/thing/service/property/get_reply", Up, 0, true, false},
	HistoryPost:          {"/sys/{pk}/{dn}/thing/event/property/history/post", Up, HistoryPostReply, true, false},
	HistoryPostReply:     {"/sys/{pk}/{dn}/thing/event/property/history/post_reply", Down, 0, true, false},
	DesiredGet:           {"/sys/{pk}/{dn}/thing/property/desired/get", Up, DesiredGetReply, true, false},
	DesiredGetReply:      {"/sys/{pk}/{dn}/thing/property/desired/get_reply", Down, 0, true, false},
	DesiredDelete:        {"/sys/{pk}/{dn}/thing/property/desired/delete", Up, DesiredDeleteReply, true, false},
	DesiredDeleteReply:   {"/sys/{pk}/{dn}/thing/property/desired/delete_reply", Down, 0, true, false},
	TagUpdate:            {"/sys/{pk}/{dn}/thing/deviceinfo/update", Up, TagUpdateReply, true, false},
	TagUpdateReply:       {"/sys/{pk}/{dn}/thing/deviceinfo/update_reply", Down, 0, true, false},
	TagDelete:            {"/sys/{pk}/{dn}/thing/deviceinfo/delete", Up, TagDeleteReply, true, false},
	TagDeleteReply:       {"/sys/{pk}/{dn}/thing/deviceinfo/delete_reply", Down, 0, true, false},
	TemplateGet:          {"/sys/{pk}/{dn}/thing/dsltemplate/get", Up, TemplateGetReply, true, false},
	TemplateGetReply:     {"/sys/{pk}/{dn}/thing/dsltemplate/get_reply", Down, 0, true, false},
	DynamicModelGet:      {"/sys/{pk}/{dn}/thing/dynamicTsl/get", Up, DynamicModelGetReply, true, false},
	DynamicModelGetReply: {"/sys/{pk}/{dn}/thing/dynamicTsl/get_reply", Down, 0, true, false},
	RawUp:                {"/sys/{pk}/{dn}/thing/model/up_raw", Up, RawUpReply, true, false},
	RawUpReply:           {"/sys/{pk}/{dn}/thing/model/up_raw_reply", Down, 0, true, false},
	RawDown:              {"/sys/{pk}/{dn}/thing/model/down_raw", Down, RawDownReply, true, false},
	RawDownReply:         {"/sys/{pk}/{dn}/thing/model/down_raw_reply", Up, 0, true, false},
	ConfigGet:            {"/sys/{pk}/{dn}/thing/config/get", Up, ConfigGetReply, true, false},
	ConfigGetReply:       {"/sys/{pk}/{dn}/thing/config/get_reply", Down, 0, true, false},
	ConfigPush:           {"/sys/{pk}/{dn}/thing/config/push", Down, ConfigPushReply, true, false},
	ConfigPushReply:      {"/sys/{pk}/{dn}/thing/config/push_reply", Up, 0, true, false},
	LogPost:              {"/sys/{pk}/{dn}/thing/log/post", Up, LogPostReply, true, false},
	LogPostReply:         {"/sys/{pk}/{dn}/thing/log/post_reply", Down, 0, true, false},
	RRPCRequest:          {"/sys/{pk}/{dn}/rrpc/request/{id}", Down, RRPCResponse, true, false},
	RRPCResponse:         {"/sys/{pk}/{dn}/rrpc/response/{id}", Up, 0, true, false},
	Enable:               {"/sys/{pk}/{dn}/thing/enable", Down, EnableReply, true, false},
	EnableReply:          {"/sys/{pk}/{dn}/thing/enable_reply", Up, 0, true, false},
	Disable:              {"/sys/{pk}/{dn}/thing/disable", Down, DisableReply, true, false},
	DisableReply:         {"/sys/{pk}/{dn}/thing/disable_reply", Up, 0, true, false},
	Delete:               {"/sys/{pk}/{dn}/thing/delete", Down, DeleteReply, true, false},
	DeleteReply:          {"/sys/{pk}/{dn}/thing/delete_reply", Up, 0, true, false},
	CloudNotify:          {"/sys/{pk}/{dn}/_thing/event/notify", Down, 0, true, false},
	Reset:                {"/sys/{pk}/{dn}/thing/reset", Up, ResetReply, true, false},
	ResetReply:           {"/sys/{pk}/{dn}/thing/reset_reply", Down, 0, true, false},
	EnrolleeFound:        {"/sys/{pk}/{dn}/thing/awss/enrollee/found", Up, EnrolleeFoundReply, false, false},
	EnrolleeFoundReply:   {"/sys/{pk}/{dn}/thing/awss/enrollee/found_reply", Down, 0, false, false},
	EnrolleeCheckin:      {"/sys/{pk}/{dn}/thing/awss/enrollee/checkin", Down, EnrolleeCheckinReply, false, false},
	EnrolleeCheckinReply: {"/sys/{pk}/{dn}/thing/awss/enrollee/checkin_reply", Up, 0, false, false},
	EnrolleeMatch:        {"/sys/{pk}/{dn}/thing/awss/enrollee/match", Up, EnrolleeMatchReply, true, false},
	EnrolleeMatchReply:   {"/sys/{pk}/{dn}/thing/awss/enrollee/match_reply", Down, 0, true, false},
	CipherGet:            {"/sys/{pk}/{dn}/thing/cipher/get", Up, CipherGetReply, false, false},
	CipherGetReply:       {"/sys/{pk}/{dn}/thing/cipher/get_reply", Down, 0, false, false},
	SubRegister:          {"/sys/{pk}/{dn}/thing/sub/register", Up, SubRegisterReply, true, true},
	SubRegisterReply:     {"/sys/{pk}/{dn}/thing/sub/register_reply", Down, 0, true, true},
	SubUnregister:        {"/sys/{pk}/{dn}/thing/sub/unregister", Up, SubUnregisterReply, true, true},
	SubUnregisterReply:   {"/sys/{pk}/{dn}/thing/sub/unregister_reply", Down, 0, true, true},
	TopoAdd:              {"/sys/{pk}/{dn}/thing/topo/add", Up, TopoAddReply, true, true},
	TopoAddReply:         {"/sys/{pk}/{dn}/thing/topo/add_reply", Down, 0, true, true},
	TopoDelete:           {"/sys/{pk}/{dn}/thing/topo/delete", Up, TopoDeleteReply, true, true},
	TopoDeleteReply:      {"/sys/{pk}/{dn}/thing/topo/delete_reply", Down, 0, true, true},
	TopoGet:              {"/sys/{pk}/{dn}/thing/topo/get", Up, TopoGetReply, true, true},
	TopoGetReply:         {"/sys/{pk}/{dn}/thing/topo/get_reply", Down, 0, true, true},
	TopoAddNotify:        {"/sys/{pk}/{dn}/thing/topo/add/notify", Down, TopoAddNotifyReply, true, true},
	TopoAddNotifyReply:   {"/sys/{pk}/{dn}/thing/topo/add/notify_reply", Up, 0, true, true},
	ListFound:            {"/sys/{pk}/{dn}/thing/list/found", Up, ListFoundReply, true, true},
	ListFoundReply:       {"/sys/{pk}/{dn}/thing/list/found_reply", Down, 0, true, true},
	GatewayPermit:        {"/sys/{pk}/{dn}/thing/gateway/permit", Down, GatewayPermitReply, true, true},
	GatewayPermitReply:   {"/sys/{pk}/{dn}/thing/gateway/permit_reply", Up, 0, true, true},
	ProductRegister:      {"/sys/{pk}/{dn}/thing/proxy/provisioning/product_register", Up, ProductRegisterReply, false, true},
	ProductRegisterReply: {"/sys/{pk}/{dn}/thing/proxy/provisioning/product_register_reply", Down, 0, false, true},
	CombineLogin:         {"/ext/session/{pk}/{dn}/combine/login", Up, CombineLoginReply, true, true},
	CombineLoginReply:    {"/ext/session/{pk}/{dn}/combine/login_reply", Down, 0, true, true},
	CombineLogout:        {"/ext/session/{pk}/{dn}/combine/logout", Up, CombineLogoutReply, true, true},
	CombineLogoutReply:   {"/ext/session/{pk}/{dn}/combine/logout_reply", Down, 0, true, true},
	NTPRequest:           {"/ext/ntp/{pk}/{dn}/request", Up, NTPResponse, true, false},
	NTPResponse:          {"/ext/ntp/{pk}/{dn}/response", Down, 0, true, false},
	Error:                {"/ext/error/{pk}/{dn}", Down, 0, true, false},
	Registered:           {"/ext/register", Down, 0, true, false},
	OTAInform:            {"/ota/device/inform/{pk}/{dn}", Up, 0, true, false},
	OTAUpgrade:           {"/ota/device/upgrade/{pk}/{dn}", Down, 0, false, false},
	OTARequest:           {"/ota/device/request/{pk}/{dn}", Up, OTAUpgrade, false, false},
	OTAProgress:          {"/ota/device/progress/{pk}/{dn}", Up, 0, false, false},
	ShadowUpdate:         {"/shadow/update/{pk}/{dn}", Up, ShadowGet, true, false},
	ShadowGet:            {"/shadow/get/{pk}/{dn}", Down, 0, true, false},
	User:                 {"/{pk}/{dn}/user/{rest}", Both, 0, true, false},
	ExtRRPC:              {"/ext/rrpc/{id}/{pk}/{dn}/user/{rest}", Both, 0, true, false},
	PackPost:             {"/sys/{pk}/{dn}/thing/event/property/pack/post", Up, PackPostReply, true, false},
	PackPostReply:        {"/sys/{pk}/{dn}/thing/event/property/pack/post_reply", Down, 0, true, false},
	BatchPost:            {"/sys/{pk}/{dn}/thing/event/property/batch/post", Up, BatchPostReply, true, false},
	BatchPostReply:       {"/sys/{pk}/{dn}/thing/event/property/batch/post_reply", Down, 0, true, false},
	TopoChange:           {"/sys/{pk}/{dn}/thing/topo/change", Down, TopoChangeReply, true, true},
	TopoChangeReply:      {"/sys/{pk}/{dn}/thing/topo/change_reply", Up, 0, true, true},
	BatchLogin:           {"/ext/session/{pk}/{dn}/combine/batch_login", Up, BatchLoginReply, true, true},
	BatchLoginReply:      {"/ext/session/{pk}/{dn}/combine/batch_login_reply", Down, 0, true, true},
	BatchLogout:          {"/ext/session/{pk}/{dn}/combine/batch_logout", Up, BatchLogoutReply, true, true},
	BatchLogoutReply:     {"/ext/session/{pk}/{dn}/combine/batch_logout_reply", Down, 0, true, true},
}

// Templates returns every row in the order of the table.
func Templates() []Template {
	all := make([]Template, 0, templateEnd-1)
	for t := Template(1); t < templateEnd; t++ {
		all = append(all, t)
	}
	return all
}

// String returns the topic with its placeholders, as the documentation shows it; of what is no row, "no topic".
func (t Template) String() string {
	if t == 0 || t >= templateEnd {
		return "no topic"
	}
	return rows[t].topic
}

// Direction says who publishes to t, 0 if t is no row.
func (t Template) Direction() Direction {
	if t >= templateEnd {
		return 0
	}
	return rows[t].dir
}

// Reply returns the row that answers t, 0 if none does.
func (t Template) Reply() Template {
	if t >= templateEnd {
		return 0
	}
	return rows[t].reply
}

// Implemented reports whether the platform does something with t today. The other rows are known and may be subscribed to, but are silent.
func (t Template) Implemented() bool { return t < templateEnd && rows[t].now }

// GatewayOnly reports whether t is for devices that have sub-devices.
func (t Template) GatewayOnly() bool { return t < templateEnd && rows[t].gateway }

// Topic returns the topic of t for one device. arg is the identifier or message id where the row has one (see [Match]), else it is not used.
func (t Template) Topic(productKey, deviceName, arg string) string {
	return string(t.AppendTopic(nil, productKey, deviceName, arg))
}

// AppendTopic appends what [Template.Topic] returns. Nothing is appended if t is no row.
func (t Template) AppendTopic(dst []byte, productKey, deviceName, arg string) []byte {
	if t >= templateEnd {
		return dst
	}
	p := &shapes[t]
	switch {
	case t == ExtRRPC:
		return append(append(dst, p.head...), arg...)
	case !p.named:
		return append(dst, p.head...)
	}
	dst = append(append(dst, p.head...), productKey...)
	dst = append(append(dst, '/'), deviceName...)
	dst = append(dst, p.before...)
	if p.arg {
		dst = append(dst, arg...)
	}
	return append(dst, p.after...)
}

// Method returns the method that stands in the envelope of t and of its reply, such as "thing.service.property.set".
// It is empty for rows that carry no method.
func (t Template) Method(arg string) string {
	if t >= templateEnd {
		return ""
	}
	p := &shapes[t]
	if p.arg && p.method != "" {
		return strings.Replace(p.method, "{id}", arg, 1)
	}
	return p.method
}
