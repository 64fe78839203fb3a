package app

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/secretreview/secretreview/infra/cdk/internal/cfn"
	"github.com/secretreview/secretreview/infra/cdk/secretreview"
)

// Build makes the stacks of a configuration. The error names every field that is
// wrong.
func Build(scope constructs.Construct, c Config) (*secretreview.SecretReview, error) {
	if c.StackName == "" {
		c.StackName = DefaultStackName
	}
	props, replicas := c.Props, []string(nil)
	props.Projects, props.ReplicaRegions = slices.Clone(props.Projects), slices.Clone(props.ReplicaRegions)
	for i := range props.ReplicaRegions {
		if replica := &props.ReplicaRegions[i]; replica.KmsKey == "" {
			replica.KmsKey = secretreview.KeyAlias(props.SecretPrefix)
			replicas = append(replicas, replica.Region)
		}
	}
	if err := errors.Join(append(c.validate(), props.Validate(c.Region))...); err != nil {
		return nil, err
	}
	main := c.stack(scope, c.StackName, c.Region, "The AWS side of secretreview")
	for _, region := range replicas {
		stack := c.stack(scope, c.StackName+"-replica-"+region, region, "The key of secretreview's replicas")
		secretreview.NewReplicaKey(stack, "Replica", props)
		main.AddStackDependency(stack, jsii.String("replicas are encrypted with its key"))
	}
	for _, part := range c.ProjectStacks {
		stack := c.stack(scope, c.StackName+"-"+part.Name, c.Region, "Secrets of secretreview")
		for i := range props.Projects {
			if slices.Contains(part.Projects, props.Projects[i].Name) {
				props.Projects[i].Scope = stack
			}
		}
	}
	props.Vpc = c.vpc(main)
	made, err := secretreview.New(main, "SecretReview", props)
	if err != nil {
		return nil, err
	}
	return made, c.grant(main, made)
}

func (c Config) stack(scope constructs.Construct, name, region, description string) awscdk.Stack {
	env := &awscdk.Environment{}
	if c.Account != "" {
		env.Account = jsii.String(c.Account)
	}
	if region != "" {
		env.Region = jsii.String(region)
	}
	stack := awscdk.NewStack(scope, jsii.String(name), &awscdk.StackProps{
		StackName: jsii.String(name), Env: env, Description: jsii.String(description), TerminationProtection: jsii.Bool(c.RemovalPolicy != secretreview.Destroy),
	})
	stack.Node().SetContext(jsii.String("@aws-cdk/aws-iam:minimizePolicies"), true)
	// Check counts, and says what to do.
	stack.Node().SetContext(jsii.String("@aws-cdk/core:stackResourceLimit"), 0)
	return stack
}

func (c Config) vpc(scope constructs.Construct) awsec2.IVpc {
	if c.Vpc == nil {
		return nil
	}
	return awsec2.Vpc_FromVpcAttributes(scope, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId: jsii.String(c.Vpc.ID), VpcCidrBlock: jsii.String(c.Vpc.CIDR),
		PrivateSubnetIds: jsii.Strings(c.Vpc.PrivateSubnetIDs...), AvailabilityZones: jsii.Strings(c.Vpc.AvailabilityZones...),
	})
}

// grant makes a managed policy for each entry of People.
func (c Config) grant(scope constructs.Construct, made *secretreview.SecretReview) error {
	for _, people := range c.People {
		var roles []awsiam.IRole
		for _, name := range people.Roles {
			roles = append(roles, awsiam.Role_FromRoleName(scope, jsii.String(people.Name+"-"+name), jsii.String(name), nil))
		}
		policy := awsiam.NewManagedPolicy(scope, jsii.String("People-"+people.Name), &awsiam.ManagedPolicyProps{
			ManagedPolicyName: jsii.String(c.StackName + "-" + people.Name),
			Description:       jsii.String("What " + people.Name + " may do with secrets of secretreview"),
			Roles:             &roles,
		})
		policy.AddStatements(c.readOutputs())
		for _, one := range []struct {
			grant    func(awsiam.IGrantable, ...string) error
			projects []string
		}{{made.GrantCliPropose, people.Propose}, {made.GrantCliPull, people.Pull}, {made.GrantCliReview, people.Review}, {made.GrantCliAudit, people.Audit}} {
			if len(one.projects) == 0 {
				continue
			}
			if err := one.grant(policy, one.projects...); err != nil {
				return err
			}
		}
	}
	return nil
}

// readOutputs is for "sr init --stack-name".
func (c Config) readOutputs() awsiam.PolicyStatement {
	stack := "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/" + c.StackName + "/*"
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("Outputs"), Actions: jsii.Strings("cloudformation:DescribeStacks"), Resources: &[]*string{awscdk.Fn_Sub(&stack, nil)},
	})
}

// Check returns what AWS would refuse because it is too much.
func Check(app awscdk.App) error {
	var found []error
	for _, stack := range *app.Synth(nil).Stacks() {
		text, err := os.ReadFile(*stack.TemplateFullPath())
		if err != nil {
			return fmt.Errorf("read the template of stack %s: %w", *stack.StackName(), err)
		}
		found = append(found, cfn.CheckLimits(*stack.StackName(), text))
	}
	return errors.Join(found...)
}
