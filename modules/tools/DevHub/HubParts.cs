using EdgeDm.DevHub.CloudMessages;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Files;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Methods;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Recording;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Twins;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub;

/// <summary>What the hub's two faces, MQTT and HTTPS, have in common.</summary>
internal sealed record HubParts(
    DevHubOptions Options,
    IdentityRegistry Identities,
    SasVerifier Tokens,
    TwinStore Twins,
    MessageRouter Router,
    MessageStore Messages,
    UpstreamLog Upstream,
    MethodBroker Methods,
    JobStore Jobs,
    ConfigurationStore Configurations,
    CloudMessageQueues CloudMessages,
    FileStore Files,
    FaultBoard Faults,
    TrafficRecord? Record,
    TimeProvider Time,
    ILoggerFactory Loggers
);
