using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>A gateway with short time limits that many bad updates share, and what must be seen on it after each.</summary>
public sealed class TroubledGateway : IAsyncLifetime
{
    /// <summary>Rounds over a file's addresses.</summary>
    internal const int MaxAttempts = 2;

    /// <summary>Seconds that one action of a script may take.</summary>
    internal const int StepSeconds = 3;

    private int updates;

    /// <summary>Makes what starts the dev hub, from its data folder.</summary>
    internal Func<string, IReadOnlyList<string>> Launcher { get; init; } = _ => [];

    internal Gateway Gateway { get; private set; } = null!; // Set before any test runs.

    internal TroubledServer Server { get; private set; } = null!;

    /// <summary>Parts of files in the package store, with their checkpoints.</summary>
    internal string[] Parts => Entries(Path.Combine(Volumes, "edgedm-store", "partial"));

    /// <summary>The modules' folders and the package store, as the modules see them.</summary>
    internal string Volumes => SmallDisks.Inside(Gateway.HubProcess, Path.Combine(Gateway.DataFolder, "volumes"));

    public async ValueTask InitializeAsync()
    {
        Server = await TroubledServer.StartAsync();
        Gateway = await Gateway.StartAsync(
            Prepare,
            "--set-env",
            $"FirmwareDownload:EDGEDM_DOWNLOAD_MAX_ATTEMPTS={MaxAttempts}",
            "--set-env",
            "FirmwareDownload:EDGEDM_DOWNLOAD_STALL_SECONDS=1",
            "--set-env",
            "DeviceManagement:EDGEDM_PROGRESS_SECONDS=1"
        );
        await InstallGoodAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
            await Server.DisposeAsync();
        }
    }

    /// <summary>An update that nobody has seen yet, newer than all before.</summary>
    internal UpdateDraft Draft()
    {
        var number = ++updates;
        return new()
        {
            Name = $"u{number}",
            Version = $"{number}.0.0",
            Publisher = Gateway.Publisher,
        };
    }

    /// <summary>Publishes and deploys it in the place of what was desired before.</summary>
    internal async Task DeployAsync(UpdateDraft draft) => await DesireAsync(draft.Publish(Server));

    /// <summary>Desires this group and nothing of the former one.</summary>
    internal async Task DesireAsync(JsonNode group)
    {
        var twin = await Gateway.Service.TwinAsync();
        var patch = group.DeepClone();
        if (twin["properties"]!["desired"]!["firmwareUpdate"] is JsonObject former && patch is JsonObject properties)
        {
            foreach (var name in former.Select(p => p.Key).Where(name => !properties.ContainsKey(name)).ToList())
            {
                properties[name] = null;
            }
        }
        await Gateway.Service.DesireAsync(new() { ["firmwareUpdate"] = patch });
    }

    /// <summary>Installs a good update, as proof that nothing stands in its way.</summary>
    internal async Task<JsonObject> InstallGoodAsync()
    {
        var draft = Draft();
        await DeployAsync(draft);
        var group = await Gateway.Service.WaitForEndAsync(draft.Name);
        ((string?)group["__meta"]!["deploymentStatus"]).ShouldBe("succeeded", Gateway.Output);
        ((string)group["installedUpdateId"]!).ShouldContain($"\"{draft.Version}\"");
        return group;
    }

    /// <summary>How often a module was started again after it ended by itself.</summary>
    internal async Task<int> RestartsAsync() =>
        (await Gateway.Service.StatusAsync())["modules"]!.AsArray().Sum(module => (int)module!["restartCount"]!);

    /// <summary>Every file of the host and of HostAccess's list of what is installed, with its digest.</summary>
    internal IReadOnlyDictionary<string, string> HostFiles()
    {
        var host = Gateway.SimulatedHost;
        return Directory
            .EnumerateFiles(Path.Combine(host, "root"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(host, "state.json"))
            .Append(Path.Combine(Volumes, "edgedm-host-access", "installed.json"))
            .Where(File.Exists)
            .ToDictionary(path => path, path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
    }

    /// <summary>Waits until nothing of an ended update is left; a timeout tells what is.</summary>
    internal async Task WaitUntilNothingIsLeftAsync()
    {
        List<string> left = [];
        try
        {
            await HubService.WaitAsync(() =>
            {
                left = [.. LeftBehind()];
                return Task.FromResult(left.Count == 0 ? left : null);
            });
        }
        catch (OperationCanceledException late)
        {
            throw new InvalidOperationException($"Left behind: {string.Join(", ", left)}", late);
        }
    }

    private void Prepare(Gateway gateway)
    {
        gateway.Launcher = Launcher(gateway.DataFolder);
        var file = Path.Combine(gateway.ConfigurationFolder, "host-access.json");
        var configuration = JsonNode.Parse(File.ReadAllText(file))!;
        configuration["updates"]!["stepTimeoutSeconds"] = StepSeconds;
        configuration["health"]!["stableSeconds"] = 0;
        File.WriteAllText(file, configuration.ToJsonString());
    }

    /// <summary>Staged copies, parts of files, units, temporary files, and processes of scripts.</summary>
    private IEnumerable<string> LeftBehind() =>
        Entries(Path.Combine(Volumes, "edgedm-host-access", "staging"))
            .Concat(Parts)
            .Concat(Entries(Path.Combine(Gateway.SimulatedHost, "units")))
            .Concat(Directory.EnumerateFiles(Volumes, "*.tmp", SearchOption.AllDirectories))
            .Concat(ScriptProcesses());

    private static string[] Entries(string folder) =>
        Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder) : [];

    /// <summary>A script's descendants carry the simulated root in their environment, whatever else they do.</summary>
    private IEnumerable<string> ScriptProcesses()
    {
        var mark = $"EDGEDM_SIMULATED_ROOT={Path.Combine(Gateway.DataFolder, "simulated-host")}";
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(p[^1])))
        {
            string environment;
            try
            {
                environment = File.ReadAllText(Path.Combine(process, "environ"));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                continue; // It ended, or it is somebody else's.
            }
            if (environment.Contains(mark, StringComparison.Ordinal))
            {
                yield return process;
            }
        }
    }
}
