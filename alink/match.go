package alink

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// shape is a row taken apart: head {pk}/{dn} before [arg] after.
type shape struct {
	head, before, after string
	named               bool // {pk} and {dn} stand between head and before
	arg, many           bool // an argument stands between before and after; many: of more than one level
	method              string
}

// shapes, branches and downSet follow from rows and never change.
var (
	shapes   = takeApart()
	branches = group()
	downSet  = allDown()
)

func takeApart() (all [templateEnd]shape) {
	for t := Template(1); t < templateEnd; t++ {
		all[t] = shapeOf(t)
	}
	return all
}

func shapeOf(t Template) shape {
	topic := rows[t].topic
	if t == ExtRRPC { // the only row with a level before the names; matched by its own function
		return shape{head: "/ext/rrpc/", arg: true, many: true}
	}
	head, tail, named := strings.Cut(topic, "{pk}/{dn}")
	s := shape{head: head, before: tail, named: named}
	for _, mark := range []string{"{id}", "{rest}"} {
		if before, after, ok := strings.Cut(tail, mark); ok {
			s.before, s.after, s.arg, s.many = before, after, true, mark == "{rest}"
		}
	}
	if rest, ok := strings.CutPrefix(tail, "/thing/"); ok {
		s.method = "thing." + strings.ReplaceAll(strings.TrimSuffix(rest, "_reply"), "/", ".")
	}
	return s
}

// branch holds the rows that share what stands before the names.
type branch struct {
	head  string
	exact map[string]Template // by what stands behind the names
	args  []Template          // rows with an argument, the longer ending first
}

// group sorts the rows into branches, the longest head first, so that "/" is tried last.
func group() (all []branch) {
	for t := Template(1); t < templateEnd; t++ {
		s := &shapes[t]
		if !s.named {
			continue
		}
		i := slices.IndexFunc(all, func(b branch) bool { return b.head == s.head })
		if i < 0 {
			i = len(all)
			all = append(all, branch{head: s.head, exact: map[string]Template{}})
		}
		if s.arg {
			all[i].args = append(all[i].args, t)
		} else {
			all[i].exact[s.before] = t
		}
	}
	for _, b := range all {
		slices.SortStableFunc(b.args, func(x, y Template) int { return cmp.Compare(len(shapes[y].after), len(shapes[x].after)) })
	}
	slices.SortStableFunc(all, func(x, y branch) int {
		if (x.head == "/sys/") != (y.head == "/sys/") { // nearly all traffic
			return cmp.Compare(y.head, x.head)
		}
		return cmp.Compare(len(y.head), len(x.head))
	})
	return all
}

// Match finds the row of a topic name in the branch of one device. arg is the identifier, message id or user part where
// the row has one; it aliases topic. ok is false if it is not a topic of this device: of another one, unknown, or longer than [MaxTopic].
// Match says nothing about the direction.
func Match(topic []byte, productKey, deviceName string) (t Template, arg []byte, ok bool) {
	if len(topic) > MaxTopic || productKey == "" || deviceName == "" {
		return 0, nil, false
	}
	for i := range branches {
		b := &branches[i]
		tail, ok := behindNames(topic, b.head, productKey, deviceName)
		if !ok {
			continue
		}
		if t, arg = b.find(tail); t != 0 {
			return t, arg, true
		}
	}
	return matchUnnamed(topic, productKey, deviceName)
}

// behindNames returns what stands behind head and the names.
func behindNames(topic []byte, head, productKey, deviceName string) (tail []byte, ok bool) {
	n := len(head) + len(productKey) + 1 + len(deviceName)
	if len(topic) < n || string(topic[:len(head)]) != head || string(topic[n-len(deviceName):n]) != deviceName {
		return nil, false
	}
	names := topic[len(head):n]
	if string(names[:len(productKey)]) != productKey || names[len(productKey)] != '/' {
		return nil, false
	}
	tail = topic[n:]
	return tail, len(tail) == 0 || tail[0] == '/'
}

func (b *branch) find(tail []byte) (Template, []byte) {
	if t, ok := b.exact[string(tail)]; ok {
		return t, nil
	}
	for _, t := range b.args {
		s := &shapes[t]
		if len(tail) <= len(s.before)+len(s.after) || string(tail[:len(s.before)]) != s.before ||
			string(tail[len(tail)-len(s.after):]) != s.after {
			continue
		}
		arg := tail[len(s.before) : len(tail)-len(s.after)]
		if s.many && !hasWildcard(arg) || !s.many && oneLevel(arg) {
			return t, arg
		}
	}
	return 0, nil
}

// matchUnnamed matches the rows whose names do not follow their head.
func matchUnnamed(topic []byte, productKey, deviceName string) (Template, []byte, bool) {
	if string(topic) == rows[Registered].topic {
		return Registered, nil, true
	}
	arg, ok := bytes.CutPrefix(topic, []byte("/ext/rrpc/"))
	if !ok || hasWildcard(arg) {
		return 0, nil, false
	}
	id := bytes.IndexByte(arg, '/')
	if id <= 0 || id > MaxArgument {
		return 0, nil, false
	}
	tail, ok := behindNames(arg[id:], "/", productKey, deviceName)
	if !ok || len(tail) <= len("/user/") || string(tail[:len("/user/")]) != "/user/" {
		return 0, nil, false
	}
	return ExtRRPC, arg, true
}

func hasWildcard(b []byte) bool { return bytes.IndexByte(b, '+') >= 0 || bytes.IndexByte(b, '#') >= 0 }

func oneLevel(b []byte) bool {
	return len(b) <= MaxArgument && bytes.IndexByte(b, '/') < 0 && !hasWildcard(b)
}
