package clitest

import "context"

func (p *prompter) Line(_ context.Context, question string) (string, error) {
	return p.next(question)
}
