package aws

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/secretreview/secretreview/internal/endpoint"
)

// containerCredentials is the one operation of the agents of containers
// (credentials/endpointcreds of the SDK). No service that is called here has one
// of that name.
const containerCredentials = "GetCredentials"

// onlySecure refuses each request just before it is sent, so that it does not
// matter where its address comes from: an option, AWS_ENDPOINT_URL, one of a
// service, a profile. It holds for the services that the credentials chain
// calls as well, but for two that are HTTP on link-local addresses: the
// instance's metadata, and the agents of EKS Pod Identity and ECS, for which the
// SDK has a rule of its own.
func onlySecure(stack *middleware.Stack) error {
	if stack.ID() == containerCredentials {
		return nil
	}
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
