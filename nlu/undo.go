package nlu

// This file reads what takes back what was asked for before: 算了, 停, never mind, stop the scene.

// Codes of the words that do.
const (
	undoLast  int32 = 1
	undoScene int32 = 2
)

// OfScene is the Value of an OpUndo that stops scenes, and nothing else.
const OfScene = "scene"

// undoing is the reading of a sentence that says no more than that something is to be taken back, where there is something and no
// question is open: to that it is a no.
func (s *scan) undoing(c *Context) (Reading, bool) {
	code := s.undoes()
	if code == 0 || c.Open == nil || c.Previous != nil && len(c.Previous.pending) > 0 || !c.Open(code == undoScene) {
		return Reading{}, false
	}
	a := Action{Op: OpUndo}
	if code == undoScene {
		a.Value = OfScene
	}
	return Reading{Outcome: Act, Lang: s.lang, Actions: []Action{a}, Memory: c.Previous.without()}, true
}

// undoes is the code of the words that the whole sentence is; 0: it is none.
func (s *scan) undoes() (code int32) {
	t := s.v.undo[s.lang]
	if t == nil {
		return 0
	}
	for i := 0; i < len(s.text); {
		if c := s.text[i]; !isLetter(c) && !isHan(c) && !isDigit(c) {
			i++
			continue
		}
		n, is := 0, int32(0)
		var node uint32
		for j := i; j < len(s.text); j++ {
			if node = t.next(node, s.text[j]); node == 0 {
				break
			}
			if e := t.nodes[node].head; e != 0 && !s.splits(i, j+1) {
				n, is = j+1-i, t.chain[e].sense.code
			}
		}
		if n == 0 {
			return 0
		}
		code, i = max(code, is), i+n
	}
	return code
}
