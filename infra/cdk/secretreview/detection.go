package secretreview

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/internal/naming"
)

// writes are the calls that change a secret that is there, or who may use it.
var writes = []string{
	"CancelRotateSecret", "DeleteResourcePolicy", "DeleteSecret", "PutResourcePolicy", "PutSecretValue", "RemoveRegionsFromReplication",
	"ReplicateSecretToRegions", "RestoreSecret", "RotateSecret", "StopReplicationToReplica", "TagResource", "UntagResource", "UpdateSecret",
	"UpdateSecretVersionStage",
}

// pattern is an event pattern of EventBridge, or a part of one.
type pattern = map[string]any

// detect makes two rules. Secrets Manager itself tells of each label that moves,
// but not who moved it; CloudTrail tells who called what.
func (s *SecretReview) detect() {
	d := s.props.Detection
	if d == nil {
		return
	}
	if d.TopicArn != "" {
		s.Topic = awssns.Topic_FromTopicArn(s.Construct, jsii.String("Topic"), jsii.String(d.TopicArn))
	} else {
		topic := awssns.NewTopic(s.Construct, jsii.String("Topic"), &awssns.TopicProps{
			DisplayName: jsii.String("secretreview: changes of secrets"), EnforceSSL: jsii.Bool(true),
		})
		s.Topic = topic
		for i, address := range d.Emails {
			awssns.NewSubscription(s.Construct, jsii.String(fmt.Sprintf("Email%d", i)), &awssns.SubscriptionProps{
				Topic: topic, Protocol: awssns.SubscriptionProtocol_EMAIL, Endpoint: jsii.String(address),
			})
		}
	}
	// What is staged gets labels, too, when it is made, which is no news; the name says prefix, the ARN says not staged.
	live := s.rule("LiveVersionChanged", "A secret of secretreview has another live version", pattern{
		"source":      []string{"aws.secretsmanager"},
		"detail-type": []string{"Secret Label Updated"},
		"resources":   []any{pattern{"anything-but": pattern{"prefix": secretsNamed(naming.StagingPrefix(s.props.SecretPrefix))}}},
		"detail": pattern{
			"name":         []any{pattern{"prefix": s.props.SecretPrefix}},
			"labelUpdated": []string{"AWSCURRENT"},
		},
	})
	foreign := s.rule("WrittenByAnother", "Somebody other than a secretreview manager has written to its secrets", pattern{
		"source":      []string{"aws.secretsmanager"},
		"detail-type": []string{"AWS API Call via CloudTrail"},
		"detail": pattern{
			"eventSource": []string{"secretsmanager.amazonaws.com"},
			"eventName":   writes,
			"errorCode":   []any{pattern{"exists": false}},
			"requestParameters": pattern{"secretId": []any{
				pattern{"prefix": s.props.SecretPrefix},
				pattern{"prefix": secretsNamed(s.props.SecretPrefix)},
			}},
			// Users and root have no session, and what is not there is nothing but the managers'.
			"userIdentity": pattern{"sessionContext": pattern{"sessionIssuer": pattern{"arn": []any{
				pattern{"anything-but": s.expectedWriters()},
				pattern{"exists": false},
			}}}},
		},
	})
	if topic, made := s.Topic.(awssns.Topic); made {
		topic.AddToResourcePolicy(statement{
			sid: "PublishByRules", actions: []string{"sns:Publish"}, resources: []string{*topic.TopicArn()},
			who:  []awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
			when: conditions{"ArnEquals": {"aws:SourceArn": []string{*live.AttrArn(), *foreign.AttrArn()}}},
		}.build())
	}
}

func (s *SecretReview) expectedWriters() []string {
	var arns []string
	for _, c := range s.props.Clusters {
		arns = append(arns, *s.Roles[c.Name].RoleArn())
	}
	return append(arns, s.props.Detection.ExpectedWriters...)
}

func (s *SecretReview) rule(id, description string, events pattern) awsevents.CfnRule {
	return awsevents.NewCfnRule(s.Construct, jsii.String(id), &awsevents.CfnRuleProps{
		Description: jsii.String(description), EventPattern: events, State: jsii.String("ENABLED"),
		Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("Topic"), Arn: s.Topic.TopicArn()}},
	})
}
