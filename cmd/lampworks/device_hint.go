package main

import (
	"crypto/tls"
	"errors"
	"fmt"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
	"lampworks/mqtt"
)

// hintOf is what to do about a connection that failed, empty if nothing is known; over says that trying again is of no use. A
// device that was connected before speaks to an MQTT server, whatever comes.
func hintOf(err error, connected bool) (hint string, over bool) {
	var refused *mqtt.Refused
	var broken *mqtt.ProtocolError
	var denied *virtual.Denied
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		return hintOfCode(refused.Code)
	case errors.As(err, &denied):
		return hintOfChild(denied.Code)
	case errors.As(err, &untrusted):
		return say("The certificate of the server is not trusted for this name. Name its certificates, or those of who issued them, with --ca FILE, and the server as its certificate does.",
			"服务端的证书对这个名称不受信任。请用 --ca 文件 给出它的证书或签发者的证书，并按证书中的名称填写服务端地址。"), true
	case errors.As(err, &broken) && !connected:
		return say("What answers there is no MQTT server. Name the address of --mqtt of serve (1883), or ws://HOST:PORT for that of --http.",
			"那里应答的不是 MQTT 服务。请写 serve 的 --mqtt 地址（1883）；若要连 --http 的地址，请写 ws://主机:端口。"), true
	}
	return "", false
}

// hintOfCode is hintOf for a code of CONNACK, of MQTT 3.1.1 or 5.
func hintOfCode(code byte) (hint string, over bool) {
	switch {
	case code == mqtt.RefusedLogin || code == byte(mqtt.BadLogin):
		return say("Check the triple, all three parts, and --product-key: the server knows no such device, or another secret of it.",
			"请核对三元组的三个部分和 --product-key：服务端没有这台设备，或者密钥不同。"), true
	case code == mqtt.RefusedAuthorised || code == byte(mqtt.NotAuthorised):
		return say("The device is disabled, or a measure is in force: lampworks fleet show DEVICE, lampworks enforce list. Its product may also want TLS: mqtts://HOST:PORT.",
			"设备已停用，或者有处置措施在生效：lampworks fleet show DEVICE、lampworks enforce list。产品也可能要求 TLS：mqtts://主机:端口。"), true
	case code == mqtt.RefusedServer || code == byte(mqtt.Busy) || code == byte(mqtt.Unavailable):
		return say("The same triple is in use in another place, or the server is busy. It is tried again.",
			"同一份三元组正在别处使用，或者服务端繁忙。稍后会重试。"), false
	}
	return "", false
}

// hintOfChild is hintOf for a code that a gateway is answered about a child.
func hintOfChild(code int) (hint string, over bool) {
	switch code {
	case alink.CodeBadRequest:
		return say("Its product is no gateway, so it carries nothing: lampworks product new --gateway, or product edit PRODUCT --gateway=true while no device of it is in use.",
			"它的产品不是网关，不能带子设备：请用 lampworks product new --gateway 新建，或在还没有设备投入使用时执行 product edit PRODUCT --gateway=true。"), true
	case alink.CodeSign:
		return say("Check the triple after --child, all three parts: the server has another secret of it.", "请核对 --child 的三元组的三个部分：服务端的密钥不同。"), true
	case alink.CodeUnknown:
		return say("Check the triple after --child, all three parts: the organisation of the gateway has no such device.", "请核对 --child 的三元组的三个部分：网关所属的组织没有这台设备。"), true
	case alink.CodeItself:
		return say("It is a gateway itself, or this one: give it a connection of its own, without --child.", "它本身就是网关：请让它自己连接，不要放在 --child 里。"), true
	case alink.CodeShut:
		return say("It is disabled, or a measure is in force: lampworks fleet show DEVICE, lampworks enforce list. It is tried again, and at once when it may return.",
			"它已停用，或者有处置措施在生效：lampworks fleet show DEVICE、lampworks enforce list。稍后会重试；获准恢复时立即登录。"), false
	case alink.CodeElsewhere:
		return say("Another gateway carries it: lampworks fleet detach GATEWAY DEVICE. It is tried again.", "它由另一台网关代理：lampworks fleet detach GATEWAY DEVICE。稍后会重试。"), false
	}
	return "", false
}

// hinted is err with its hint.
func hinted(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, hint)
}
