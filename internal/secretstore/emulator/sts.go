package emulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
)

type callerIdentity struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type stsError struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// stsCodes are the names that STS has for what other services call otherwise.
var stsCodes = map[string]string{
	"UnrecognizedClientException":         "InvalidClientTokenId",
	"ExpiredTokenException":               "ExpiredToken",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"ThrottlingException":                 "Throttling",
	"AccessDeniedException":               "AccessDenied",
}

// serveSTS answers GetCallerIdentity, in STS's query protocol.
func (e *Emulator) serveSTS(w http.ResponseWriter, r *http.Request, body []byte) {
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	out, o, requestID := e.carryOut(r, action, &summary{}, func(req *request) (any, error) {
		if action != "GetCallerIdentity" {
			return nil, frontEndFailure("InvalidAction", "Could not find operation %s for version 2011-06-15", action)
		}
		return &callerIdentity{Arn: req.principal.ARN, UserID: req.principal.AccessKeyID, Account: e.account}, nil
	})
	answer(o, func(failed *apiError) {
		w.Header().Set("Content-Type", "text/xml")
		if failed == nil {
			identity := out.(*callerIdentity)
			identity.RequestID = requestID
			_ = xml.NewEncoder(w).Encode(identity)
			return
		}
		code, known := stsCodes[failed.code]
		if !known {
			code = failed.code
		}
		w.WriteHeader(max(failed.status, http.StatusForbidden))
		_ = xml.NewEncoder(w).Encode(stsError{Type: "Sender", Code: code, Message: failed.message, RequestID: requestID})
	})
}
