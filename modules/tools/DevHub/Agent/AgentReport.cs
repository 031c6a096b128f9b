using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Twins;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Agent;

/// <summary>
/// What <c>$edgeAgent</c> reports: the last deployment and whether it is followed, and each module as it was deployed with how it is.
/// Safe for use by many threads.
/// </summary>
internal sealed class AgentReport(TimeProvider time)
{
    /// <summary>The desired properties are followed.</summary>
    public const int Good = 200;

    /// <summary>They are wrong.</summary>
    public const int Bad = 400;

    /// <summary>As edgeAgent writes that something has not happened yet.</summary>
    private const string Never = "0001-01-01T00:00:00Z";

    private static readonly string Version = ModuleProgram.VersionOf(typeof(AgentReport).Assembly);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Times> times = new(StringComparer.Ordinal);
    private (long? Version, int Code, string Description) last = (null, Good, "");

    /// <summary>A module's state, as soon as it changes.</summary>
    public void Saw(ModuleState state)
    {
        lock (gate)
        {
            var known = times.GetValueOrDefault(state.ModuleId, Times.None);
            var now = time.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
            if (state.RuntimeStatus == "running" && state.ProcessId != known.ProcessId)
            {
                known = known with { Start = now, ProcessId = state.ProcessId };
            }
            else if (state.ProcessId is null && known.ProcessId is not null)
            {
                known = known with { Exit = now, ProcessId = null };
            }
            if (state.RestartCount > known.Restarts)
            {
                known = known with { Restart = now };
            }
            times[state.ModuleId] = known with { Restarts = state.RestartCount };
        }
    }

    /// <summary>Desired properties were looked at.</summary>
    public void Followed(long version, int code, string description)
    {
        lock (gate)
        {
            last = (version, code, description);
        }
    }

    /// <summary>What is to be reported beside what was; empty when nothing is.</summary>
    public JsonObject Next(Twin twin, IReadOnlyList<ModuleState> modules)
    {
        var before = JsonObject.Create(twin.Reported.Properties)!;
        var patch = MergePatch.Between(before, Document(twin, modules, brief: false));
        // Larger than a twin may be with all that was deployed: then how the modules are matters more.
        return Encoding.UTF8.GetByteCount(patch.ToJsonString()) <= TwinLimits.PropertiesBytes / 2
            ? patch
            : MergePatch.Between(before, Document(twin, modules, brief: true));
    }

    private JsonObject Document(Twin twin, IReadOnlyList<ModuleState> modules, bool brief)
    {
        var desired = JsonObject.Create(twin.Desired.Properties)!;
        lock (gate)
        {
            return new()
            {
                ["schemaVersion"] = "1.0",
                ["version"] = new JsonObject { ["version"] = Version },
                ["lastDesiredVersion"] = last.Version ?? twin.Desired.Version,
                ["lastDesiredStatus"] = new JsonObject { ["code"] = last.Code, ["description"] = last.Description },
                ["runtime"] = new JsonObject
                {
                    ["type"] = "docker",
                    ["platform"] = new JsonObject
                    {
                        ["os"] = "linux",
                        ["architecture"] = Architecture,
                        ["version"] = Version,
                    },
                },
                ["systemModules"] = SystemModules(desired),
                ["modules"] = Modules(desired, modules, brief),
            };
        }
    }

    private static string Architecture =>
        RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "x86_64",
            System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
            var other => other.ToString().ToLowerInvariant(),
        };

    /// <summary>The hub plays both as long as it runs.</summary>
    private static JsonObject SystemModules(JsonObject desired)
    {
        var result = new JsonObject();
        foreach (var name in new[] { "edgeAgent", "edgeHub" })
        {
            var module = desired["systemModules"]?[name]?.DeepClone() as JsonObject ?? [];
            module.Remove("settings"); // Its image does not run here.
            module["type"] = "docker";
            module["runtimeStatus"] = "running";
            module["exitCode"] = 0;
            module["statusDescription"] = "played by the dev hub";
            result[name] = module;
        }
        return result;
    }

    private JsonObject Modules(JsonObject desired, IReadOnlyList<ModuleState> modules, bool brief)
    {
        var result = new JsonObject();
        foreach (var state in modules)
        {
            var module = brief ? [] : desired["modules"]?[state.ModuleId]?.DeepClone() as JsonObject ?? [];
            var known = times.GetValueOrDefault(state.ModuleId, Times.None);
            module["type"] = "docker";
            module["runtimeStatus"] = state.RuntimeStatus;
            module["exitCode"] = state.ExitCode ?? 0;
            module["statusDescription"] = state.StatusDescription;
            module["restartCount"] = state.RestartCount;
            module["lastStartTimeUtc"] = known.Start;
            module["lastExitTimeUtc"] = known.Exit;
            module["lastRestartTimeUtc"] = known.Restart;
            result[KeyOf(state.ModuleId)] = module;
        }
        return result;
    }

    // A module's id may have characters that a twin's key may not; written as edgeHub writes clients.
    private static string KeyOf(string moduleId) =>
        moduleId
            .Replace(".", "%2E", StringComparison.Ordinal)
            .Replace("$", "%24", StringComparison.Ordinal)
            .Replace("#", "%23", StringComparison.Ordinal);

    private sealed record Times(string Start, string Exit, string Restart, int Restarts, int? ProcessId)
    {
        public static readonly Times None = new(Never, Never, Never, 0, null);
    }
}
