"""An embedded AWS: an organization whose APIs fail, throttle, deny and drift as AWS's do.

moto stores the state of the services. What moto leaves hollow (CloudFormation, StackSets, CloudTrail, EventBridge,
metric filters, alarms) is done by engines of our own, which all hang on one gateway that sees every API call.
"""
