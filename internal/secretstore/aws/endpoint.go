package aws

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/secretreview/secretreview/internal/endpoint"
)

// onlySecure refuses each request just before it is sent, so that it does not
// matter where its address comes from: an option, AWS_ENDPOINT_URL, one of a
// service, a profile. It holds for the services that the credentials chain
// calls as well, but for the instance's own metadata, which is HTTP on a
// link-local address and is sent nothing but its own token.
func onlySecure(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("secretreview:onlySecure", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok && awsmiddleware.GetServiceID(ctx) != imds.ServiceID {
			if err := endpoint.Check(request.URL); err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleDeserialize(ctx, in)
	}), middleware.Before)
}
