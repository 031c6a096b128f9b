using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using EdgeDm.DevHub.Launching;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Running;

/// <summary>The dev hub's command line.</summary>
internal static class DevHubCommand
{
    private const string Description = """
        Stands in for edgeHub, IoT Hub and the security daemon on this machine, and runs a deployment's modules as
        processes or containers. For development: it listens at a loopback address, and for containers at this
        machine's address in their network.
        """;

    private static readonly Option<string> Deployment = new("--deployment")
    {
        Description =
            "deployment.template.json or a manifest. Without it, the modules that were deployed last, if any.",
    };

    private static readonly Option<string> Data = new("--data")
    {
        Description = "Folder of all state.",
        DefaultValueFactory = _ => ".edgedm",
    };

    private static readonly Option<IPAddress> Address = new("--address")
    {
        Description = "Address to listen at; a second dev hub takes 127.0.0.2.",
        DefaultValueFactory = _ => IPAddress.Loopback,
        CustomParser = ParseAddress,
    };

    private static readonly Option<int?> MqttPort = new("--mqtt-port")
    {
        Description = "Port of MQTT over TLS; 0 = any free one. [8883, or 18883 where that may not be bound]",
    };

    private static readonly Option<int?> HttpsPort = new("--https-port")
    {
        Description = "Port of HTTPS; 0 = any free one. [443, or 8443 where that may not be bound]",
    };

    private static readonly Option<string> DeviceId = new("--device-id")
    {
        Description = "Id of the gateway.",
        DefaultValueFactory = _ => "gateway",
    };

    private static readonly Option<string?> HubName = new("--hub-host-name")
    {
        Description = "Name of the IoT Hub. [the address]",
    };

    private static readonly Option<string?> GatewayName = new("--gateway-host-name")
    {
        Description = "Name under which modules connect; it must lead to the address. [the address]",
    };

    private static readonly Option<HubProfile> Profile = new("--profile")
    {
        Description =
            "edgeHub: play edgeHub and what is above it. iotHub: only the IoT Hub above an edgeHub that you run; launches no module.",
        DefaultValueFactory = _ => HubProfile.EdgeHub,
    };

    private static readonly Option<EnvironmentFlavour> Environment = new("--module-environment")
    {
        Description =
            "Whose environment the modules get: edgeAgent (workload API) or iotedgehubdev (connection string).",
        DefaultValueFactory = _ => EnvironmentFlavour.EdgeAgent,
    };

    private static readonly Option<LaunchKind> Launch = new("--launch")
    {
        Description =
            "What the modules become: processes, or docker (containers of the images that the deployment names).",
        DefaultValueFactory = _ => LaunchKind.Processes,
    };

    private static readonly Option<string?> HostContainer = new("--host-container")
    {
        Description =
            "With --launch docker, NAME of a container that plays the gateway's system: when it dies, every module does, and starts again with it.",
    };

    private static readonly Option<string> Configuration = new("--configuration")
    {
        Description = "Which build of the modules runs.",
        DefaultValueFactory = _ => "Release",
    };

    private static readonly Option<string?> Programs = new("--programs")
    {
        Description = "Folder of published programs, instead of the builds beside each module.json.",
    };

    private static readonly Option<string[]> Program = new("--program")
    {
        Description = "MODULE=PATH: the program of a module that is not built here. Repeatable.",
    };

    private static readonly Option<string[]> MapHost = new("--map-host")
    {
        Description = "PATH=FOLDER: the folder stands for this absolute path of the host in binds. Repeatable.",
    };

    private static readonly Option<string[]> Except = new("--except")
    {
        Description = "MODULE: do not start it, and print its environment to start it by hand. Repeatable.",
    };

    private static readonly Option<string[]> SetEnv = new("--set-env")
    {
        Description =
            "MODULE:NAME=VALUE: a variable for a module beside the manifest's, whose it replaces. Repeatable.",
    };

    private static readonly Option<string?> Record = new("--record")
    {
        Description =
            "File to which every reported patch and every message to $upstream is added, one JSON object a line.",
    };

    private static readonly Option<bool> VolatileQueues = new("--volatile-queues")
    {
        Description = "Messages that wait for modules are in memory only: quicker, and gone when the hub ends.",
    };

    private static readonly Option<bool> StopOnStdinClose = new("--stop-on-stdin-close")
    {
        Description = "Stop when standard input ends: with the script that started this.",
    };

    /// <summary>Runs one command line and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var command = new RootCommand(Description);
        Option[] all =
        [
            Deployment,
            Data,
            Address,
            MqttPort,
            HttpsPort,
            DeviceId,
            HubName,
            GatewayName,
            Profile,
            Environment,
            Launch,
            HostContainer,
            Configuration,
            Programs,
            Program,
            MapHost,
            Except,
            SetEnv,
            Record,
            VolatileQueues,
            StopOnStdinClose,
        ];
        Array.ForEach(all, command.Options.Add);
        command.SetAction((result, _) => RunAsync(result));
        var parsed = command.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null });
        }
        foreach (var error in parsed.Errors)
        {
            await Console.Error.WriteLineAsync($"devhub: {error.Message}");
        }
        await Console.Error.WriteLineAsync("Try --help.");
        return ExitCodes.Misconfigured;
    }

    private static Task<int> RunAsync(ParseResult result) =>
        ModuleProgram.RunAsync(
            "DevHub",
            (context, cancellationToken) => DevHubRun.RunAsync(Read(result), context, cancellationToken),
            DevHubRun.StopTimeout
        );

    private static DevHubRunOptions Read(ParseResult result) =>
        new()
        {
            Deployment = result.GetValue(Deployment),
            Hub = new()
            {
                DataFolder = Path.GetFullPath(result.GetValue(Data)!),
                Address = result.GetValue(Address)!,
                MqttPort = result.GetValue(MqttPort),
                HttpsPort = result.GetValue(HttpsPort),
                DeviceId = result.GetValue(DeviceId)!,
                HubHostName = result.GetValue(HubName),
                GatewayHostName = result.GetValue(GatewayName),
                Profile = result.GetValue(Profile),
                DurableQueues = !result.GetValue(VolatileQueues),
                RecordFile = result.GetValue(Record) is { } record ? Path.GetFullPath(record) : null,
            },
            Flavour = result.GetValue(Environment),
            Launch = result.GetValue(Launch),
            HostContainer = result.GetValue(HostContainer),
            Configuration = result.GetValue(Configuration)!,
            Programs = result.GetValue(Programs) is { } folder ? Path.GetFullPath(folder) : null,
            Program = Pairs(result, Program),
            MapHost = Pairs(result, MapHost),
            Except = (result.GetValue(Except) ?? []).ToHashSet(StringComparer.Ordinal),
            ModuleVariables = (result.GetValue(SetEnv) ?? []).Select(Variable).ToLookup(v => v.Module, v => v.Variable),
            StopOnStdinClose = result.GetValue(StopOnStdinClose),
        };

    private static Dictionary<string, string> Pairs(ParseResult result, Option<string[]> option)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in result.GetValue(option) ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || equals == text.Length - 1)
            {
                throw new MisconfiguredException($"{option.Name} '{text}' must have the form NAME=PATH.");
            }
            pairs[text[..equals].TrimEnd('/')] = Path.GetFullPath(text[(equals + 1)..]);
        }
        return pairs;
    }

    private static (string Module, KeyValuePair<string, string> Variable) Variable(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && equals > colon + 1
            ? (text[..colon], new(text[(colon + 1)..equals], text[(equals + 1)..]))
            : throw new MisconfiguredException($"{SetEnv.Name} '{text}' must have the form MODULE:NAME=VALUE.");
    }

    private static IPAddress? ParseAddress(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        if (IPAddress.TryParse(text, out var address) && IPAddress.IsLoopback(address))
        {
            return address;
        }
        result.AddError(
            $"'{text}' is no loopback address. The dev hub is for this machine only: 127.0.0.1, 127.0.0.2, ..."
        );
        return null;
    }
}
