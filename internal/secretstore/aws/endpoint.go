package aws

import (
	"context"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/secretreview/secretreview/internal/endpoint"
)

// linkLocal are the operations that hand out credentials by HTTP on link-local
// addresses: of the agents of EKS Pod Identity and ECS (the SDK's
// credentials/endpointcreds), for which the SDK has a rule of its own, and of the
// instance's metadata (feature/ec2/imds). No service that is called here has one
// of these names.
var linkLocal = map[string]bool{"GetCredentials": true, "GetMetadata": true, "GetRegion": true, "getToken": true}

// onlySecure refuses each request just before it is sent, so that it does not
// matter where its address comes from: an option, AWS_ENDPOINT_URL, one of a
// service, a profile. It holds for the services that the credentials chain
// calls as well, but for those of linkLocal.
func onlySecure(stack *middleware.Stack) error {
	if linkLocal[stack.ID()] {
		return nil
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("secretreview:onlySecure", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			if err := endpoint.Check(request.URL); err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleDeserialize(ctx, in)
	}), middleware.Before)
}
