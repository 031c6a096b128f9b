using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Api;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.Hosting;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>
/// A gateway in a temporary folder: HostAccess, in this process or as one of its own, behind its real sockets, with a simulated host
/// whose units are real processes.
/// </summary>
internal sealed class TestGateway : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;
    private CancellationTokenSource stop = new();
    private Task<int>? running;
    private Process? process;

    public TestGateway()
    {
        Directory.CreateDirectory(Path.Combine(folder, "store", "sha256"));
        File.WriteAllText(Path.Combine(folder, "root.jwk.json"), Keys.Root.PublicJwk);
        Verbs = UnixHttp.CreateClient($"unix:{SocketOf("verbs")}");
        Inventory = UnixHttp.CreateClient($"unix:{SocketOf("inventory")}");
        foreach (var client in new[] { Verbs, Inventory })
        {
            client.DefaultRequestHeaders.Add(HostApiVersion.Header, HostApiVersion.Current.ToString());
        }
    }

    public JsonObject Configuration { get; } =
        new()
        {
            ["host"] = "simulated",
            ["simulated"] = new JsonObject
            {
                ["folder"] = "host",
                ["manufacturer"] = "Contoso",
                ["model"] = "Gateway",
            },
            ["requireNoNetwork"] = false,
            ["trustedRoots"] = new JsonArray { "root.jwk.json" },
            ["verbs"] = new JsonObject
            {
                ["update"] = new JsonObject { ["enabled"] = true },
                ["reboot"] = new JsonObject { ["enabled"] = true, ["perHour"] = 3 },
            },
            ["updates"] = new JsonObject
            {
                ["handlers"] = new JsonArray { "microsoft/script:1", "edgedm/simulator:1" },
            },
            ["health"] = new JsonObject
            {
                ["deadlineSeconds"] = 60,
                ["stableSeconds"] = 0,
                ["requiredModules"] = new JsonArray { "Telemetry" },
            },
        };

    public HttpClient Verbs { get; }
    public HttpClient Inventory { get; }
    public LogSignals Logs { get; } = new();
    public TimeProvider Time { get; set; } = TimeProvider.System;
    public ApiOptions Options { get; init; } = new();

    /// <summary>Root of the files that tell of a Linux host.</summary>
    public string HostFiles { get; set; } = "/";

    /// <summary>The header line of a caller of this version.</summary>
    public static string VersionLine => $"{HostApiVersion.Header}: {HostApiVersion.Current}\r\n";

    /// <summary>What starts HostAccess's process, for example <c>unshare -n</c>; it must become that process.</summary>
    public string[] Launcher { get; init; } = [];

    /// <summary>Its process id, when it is a process of its own.</summary>
    public int ProcessId => process!.Id;

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public string Data => Path.Combine(folder, "data");
    public string HostRoot => Path.Combine(folder, "host", "root");
    public string UnitsFolder => Path.Combine(folder, "host", "units");
    public string ConfigurationPath => Path.Combine(folder, "host-access.json");

    /// <summary>What scripts noted, see <see cref="Scripts"/>.</summary>
    public string[] Calls => ReadLines(Path.Combine(HostRoot, "calls"));

    public string[] Audit => ReadLines(Path.Combine(Data, "audit.log"));

    private static string Program => Path.Combine(AppContext.BaseDirectory, "EdgeDm.HostAccess");

    public string SocketOf(string name) => Path.Combine(folder, name, "host-access.sock");

    public string StoredPath(string sha256) => Path.Combine(folder, "store", "sha256", sha256);

    /// <summary>Starts HostAccess in this process; returns when its sockets answer.</summary>
    public async Task<TestGateway> StartAsync()
    {
        File.WriteAllText(ConfigurationPath, Configuration.ToJsonString());
        stop = new();
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(Logs));
        var ready = Logs.Text.Split("HostAccess serves").Length;
        var context = new ProgramContext(loggers, new(Variables()), Time, "1.2.3");
        var runner = new UnitRunnerCommand(Program, [UnitRunner.SubCommand]);
        running = Task.Run(() => HostAccessModule.RunAsync(context, runner, Options, stop.Token, HostFiles));
        var first = await Task.WhenAny(running, Logs.WaitForAsync("HostAccess serves", ready));
        if (first == running)
        {
            await running;
            throw new InvalidOperationException("HostAccess ended at once:\n" + Logs.Text);
        }
        await first;
        return this;
    }

    /// <summary>Starts HostAccess as its own process; returns when its sockets answer.</summary>
    public async Task<TestGateway> StartProcessAsync()
    {
        File.WriteAllText(ConfigurationPath, Configuration.ToJsonString());
        var ready = Logs.Text.Split("HostAccess serves").Length;
        string[] command = [.. Launcher, Program];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in Variables())
        {
            start.Environment[name] = value;
        }
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Logs.Add(line.Data ?? "");
        process.BeginOutputReadLine();
        var ended = process.WaitForExitAsync();
        if (await Task.WhenAny(ended, Logs.WaitForAsync("HostAccess serves", ready)) == ended)
        {
            throw new InvalidOperationException("HostAccess ended at once:\n" + Logs.Text);
        }
        return this;
    }

    /// <summary>Cuts the power: HostAccess ends in the middle of whatever it does, and the host boots anew.</summary>
    public async Task PowerCycleAsync()
    {
        await StopAsync();
        GoDown();
        await StartAsync();
    }

    /// <summary>With HostAccess stopped: its next start is a boot of the host.</summary>
    public void GoDown()
    {
        var options = new SimulatedHostOptions(Path.Combine(folder, "host"), "Contoso", "Gateway", "1.0.0", 129);
        SimulatedHost.Open(options, new("/nowhere", []), Time, Logs).Reboot("test");
    }

    /// <summary>Lets HostAccess end because the host goes down, and boots the host.</summary>
    public async Task RebootAsync()
    {
        (await EndAsync()).ShouldBe(129);
        await StartAsync();
    }

    /// <summary>
    /// Where a script can wait with <c>read line &lt; "$EDGEDM_SIMULATED_ROOT/gate"</c> until the test lets it through.
    /// </summary>
    public Gate MakeGate()
    {
        Directory.CreateDirectory(HostRoot);
        return new(Path.Combine(HostRoot, "gate"));
    }

    /// <summary>Waits until HostAccess ends by itself, and returns its exit code.</summary>
    public async Task<int> EndAsync()
    {
        if (process is { } own)
        {
            await own.WaitForExitAsync().WaitAsync(Patience);
            process = null;
            return own.ExitCode;
        }
        var code = await running!.WaitAsync(Patience);
        running = null;
        return code;
    }

    /// <summary>Asks HostAccess's process to end, as its supervisor would.</summary>
    public void Terminate() => ProcessIdentity.Of(process!.Id)!.Terminate();

    /// <summary>Ends HostAccess as SIGTERM would, or the kernel's SIGKILL for a process.</summary>
    public async Task StopAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process = null;
        await stop.CancelAsync();
        if (running is not null)
        {
            await ((Task)running).WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            running = null;
        }
    }

    /// <summary>Puts an update's files where FirmwareDownload would put them.</summary>
    public TestUpdate Store(TestUpdate update)
    {
        foreach (var (digest, content) in update.Contents)
        {
            File.WriteAllBytes(StoredPath(digest), content);
        }
        return update;
    }

    public async Task<UpdateStatus> SubmitAsync(UpdateSubmission submission)
    {
        using var answer = await PostAsync(HostApi.Updates, submission, ContractsJson.Default.UpdateSubmission);
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, text);
        return JsonSerializer.Deserialize(text, ContractsJson.Default.UpdateStatus)!;
    }

    /// <summary>Stores, submits and waits for a state.</summary>
    public async Task<UpdateStatus> RunAsync(TestUpdate update, params string[] states)
    {
        await SubmitAsync(Store(update).Submission());
        return await WaitAsync(update.CommandId, states);
    }

    /// <summary>Watches by long polls until one of the states is reached; any terminal one when none is named.</summary>
    public Task<UpdateStatus> WaitAsync(string commandId, params string[] states) =>
        WaitForAsync(
            commandId,
            status => states.Length == 0 ? HostUpdateState.IsTerminal(status.State) : states.Contains(status.State)
        );

    /// <summary>Watches by long polls until a status is as wanted.</summary>
    public async Task<UpdateStatus> WaitForAsync(string commandId, Func<UpdateStatus, bool> isWanted)
    {
        var clock = Stopwatch.StartNew();
        long? revision = null;
        while (clock.Elapsed < Patience)
        {
            var status = await Verbs
                .GetAsync(HostApi.Update(commandId, revision, 5))
                .ContinueWith(task => ReadAsync(task.Result, ContractsJson.Default.UpdateStatus))
                .Unwrap();
            if (isWanted(status))
            {
                return status;
            }
            if (HostUpdateState.IsTerminal(status.State))
            {
                throw new InvalidOperationException($"Ended as {status.State}: {status.Error?.Message}\n{Logs.Text}");
            }
            revision = status.Revision;
        }
        throw new TimeoutException($"{commandId} did not become as wanted:\n{Logs.Text}");
    }

    public async Task<UpdateStatus> BringEvidenceAsync(string commandId, bool complete = true)
    {
        var info = await GetAsync(HostApi.Root, ContractsJson.Default.HostAccessInfo);
        var evidence = new HealthEvidence(info.HostInstanceId, EdgeHubSession: true, complete ? ["Telemetry"] : []);
        using var answer = await PostAsync(HostApi.Evidence(commandId), evidence, ContractsJson.Default.HealthEvidence);
        return await ReadAsync(answer, ContractsJson.Default.UpdateStatus);
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type)
    {
        using var answer = await Verbs.GetAsync(path);
        return await ReadAsync(answer, type);
    }

    public Task<HttpResponseMessage> PostAsync<T>(string path, T body, JsonTypeInfo<T> type) =>
        Verbs.PostAsync(
            path,
            new StringContent(JsonSerializer.Serialize(body, type), Encoding.UTF8, "application/json")
        );

    /// <summary>Posts what must be refused; returns the error.</summary>
    public async Task<ErrorObject> RefusedAsync<T>(string path, T body, JsonTypeInfo<T> type, HttpStatusCode status)
    {
        using var answer = await PostAsync(path, body, type);
        return await ErrorAsync(answer, status);
    }

    public Task<ErrorObject> RefusedAsync(
        UpdateSubmission submission,
        HttpStatusCode status = HttpStatusCode.BadRequest
    ) => RefusedAsync(HostApi.Updates, submission, ContractsJson.Default.UpdateSubmission, status);

    public static async Task<ErrorObject> ErrorAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        return JsonSerializer.Deserialize(text, ContractsJson.Default.ErrorObject)!;
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonSerializer.Deserialize(text, type)!;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Verbs.Dispose();
        Inventory.Dispose();
        if (Directory.Exists(UnitsFolder))
        {
            new SimulatedUnits(UnitsFolder, new("/nowhere", []), Logs).EndAll();
        }
        Directory.Delete(folder, recursive: true);
        stop.Dispose();
    }

    private Dictionary<string, string> Variables() =>
        new Dictionary<string, string>(Environment, StringComparer.Ordinal)
        {
            ["EDGEDM_DATA"] = Data,
            ["EDGEDM_STORE"] = Path.Combine(folder, "store"),
            ["EDGEDM_CONFIG"] = ConfigurationPath,
            ["EDGEDM_VERBS_FOLDER"] = Path.Combine(folder, "verbs"),
            ["EDGEDM_INVENTORY_FOLDER"] = Path.Combine(folder, "inventory"),
        };

    private static string[] ReadLines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];
}
