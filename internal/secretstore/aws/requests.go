package aws

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// What Options.OnRequest calls a request that AWS did not answer with a code
// that is known here.
const (
	CodeOK = "ok"
	// CodeOther keeps the number of codes bounded, whoever answers.
	CodeOther = "other"
	// CodeUnanswered: refused, timed out or cut off; whether it took effect is
	// not known.
	CodeUnanswered = "unanswered"
)

// counted reports each attempt of a call: retrying lies around this step.
func (o *Options) counted(stack *middleware.Stack) error {
	op := stack.ID()
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("secretreview:counted", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		o.OnRequest(op, requestCode(err))
		return out, metadata, err
	}), middleware.Before)
}

func requestCode(err error) string {
	var answer smithy.APIError
	switch {
	case err == nil:
		return CodeOK
	case !errors.As(err, &answer):
		return CodeUnanswered
	}
	code := answer.ErrorCode()
	_, known := kinds[code]
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	if known || throttled {
		return code
	}
	return CodeOther
}
