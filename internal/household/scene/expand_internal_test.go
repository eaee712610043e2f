package scene

import (
	"fmt"
	"testing"
)

// TestExpandGoesAsDeepAsScenesMay: what only runs scenes, a timer, reaches the innermost of those that are as deep as they may be.
func TestExpandGoesAsDeepAsScenesMay(t *testing.T) {
	all := map[string]*Scene{"0": {Actions: []Action{{Kind: Set}}}}
	for i := range MaxDepth {
		all[fmt.Sprint(i+1)] = &Scene{Actions: []Action{{Kind: Start, Scene: fmt.Sprint(i)}}}
	}
	top := fmt.Sprint(MaxDepth)
	if _, err := walk(top, all, nil); err != nil {
		t.Fatal(err)
	}
	for depth, actions := range map[int][]Action{0: all[top].Actions, -1: {{Kind: Start, Scene: top}}} {
		if steps := expand(actions, all, "", depth, nil); len(steps) != 1 || steps[0].Kind != Set || steps[0].Outcome != "" {
			t.Errorf("from depth %d: %+v", depth, steps)
		}
	}
}
