using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Workload;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Launching;

/// <summary>A launcher whose modules are shell scripts: real processes, a clock that the test moves.</summary>
internal sealed class LauncherBench : IAsyncDisposable
{
    private readonly List<ModuleDeployment> modules = [];
    private readonly Lock gate = new();
    private readonly List<ModuleState> changes = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TemporaryFolder Folder { get; } = new();

    public string Data => Folder.File("data");

    public FakeTimeProvider Time { get; } = new();

    public LineRecorder Console { get; } = new();

    public RestartBackoff Backoff { get; set; } = new();

    public HashSet<string> Except { get; } = [];

    public long LargestLog { get; set; } = 1024 * 1024;

    public ModuleLauncher Launcher { get; private set; } = null!;

    /// <summary>Every state that was told, in order.</summary>
    public IReadOnlyList<ModuleState> Changes
    {
        get
        {
            lock (gate)
            {
                return [.. changes];
            }
        }
    }

    public void Add(
        string id,
        string script,
        RestartPolicy policy = RestartPolicy.Always,
        uint order = 0,
        string? rebootExitCode = null,
        bool wanted = true,
        params (string Name, string Value)[] env
    ) =>
        modules.Add(
            new(
                id,
                "contoso/" + id,
                wanted,
                policy,
                order,
                env.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal),
                new(
                    [new("state", "/var/lib/state")],
                    new Dictionary<string, string>(StringComparer.Ordinal),
                    rebootExitCode is null
                        ? new Dictionary<string, string>(StringComparer.Ordinal)
                        : new Dictionary<string, string>(StringComparer.Ordinal)
                        {
                            [ModuleLauncher.HostRebootLabel] = rebootExitCode,
                        },
                    ["-c", script],
                    new JsonObject()
                )
            )
        );

    public ModuleLauncher Make(string program = "/bin/sh")
    {
        PrivateFolder.Create(Data);
        var variables = new TemplateVariables(new Dictionary<string, string>(StringComparer.Ordinal), []);
        Launcher = new(
            new("deployment.json", [], [.. modules.OrderBy(module => module.StartupOrder)]),
            new ProcessRuntime(
                new(
                    new ModuleCatalog(Folder.Path, variables),
                    "Release",
                    published: null,
                    modules
                        .Where(module => module.Id != "NoProgram")
                        .ToDictionary(module => module.Id, _ => program, StringComparer.Ordinal)
                ),
                Environment(),
                Data,
                ownsAllChildren: false,
                NullLogger.Instance
            ),
            new()
            {
                DataFolder = Data,
                Backoff = Backoff,
                Except = Except,
                LargestLog = LargestLog,
            },
            new ModuleConsole(Console, coloured: false, [.. modules.Select(module => module.Id)]),
            Time,
            NullLoggerFactory.Instance
        );
        Launcher.Changed += state =>
        {
            lock (gate)
            {
                changes.Add(state);
                changed.TrySetResult();
                changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        };
        return Launcher;
    }

    public async Task<ModuleLauncher> StartAsync(string program = "/bin/sh")
    {
        await Make(program).StartAsync(CancellationToken.None);
        return Launcher;
    }

    public ModuleEnvironment Environment(EnvironmentFlavour flavour = EnvironmentFlavour.EdgeAgent) =>
        new(
            flavour,
            new("gateway.local", 8884, 8443),
            new Keys(),
            new ProcessView(
                ShortPaths.Open(Data, Folder.Path),
                new(
                    Data,
                    new Dictionary<string, string>(StringComparer.Ordinal) { ["/etc/edgedm"] = Folder.File("etc") }
                ),
                "/data/ca/root.pem"
            )
        );

    /// <summary>The newest state of a module that fits, from the change with this number on.</summary>
    public async Task<ModuleState> WaitForStateAsync(string id, Func<ModuleState, bool> fits, int from = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (changes.Skip(from).LastOrDefault(state => state.ModuleId == id && fits(state)) is { } found)
                {
                    return found;
                }
                next = changed.Task;
            }
            await next.WaitAsync(limit.Token);
        }
    }

    public Task<ModuleState> WaitForStateAsync(string id, string status, int from = 0) =>
        WaitForStateAsync(id, state => state.RuntimeStatus == status, from);

    /// <summary>The process id that a script printed as <c>name=id</c>.</summary>
    public async Task<int> WaitForProcessIdAsync(string name, int from = 0)
    {
        var line = await Console.WaitForAsync(name + "=", from);
        return int.Parse(line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
    }

    public static bool IsAlive(int processId) => ProcessTable.Find(processId) is { IsAlive: true };

    public async ValueTask DisposeAsync()
    {
        if (Launcher is not null)
        {
            var stopping = Launcher.DisposeAsync().AsTask();
            // A script that ignores SIGTERM is killed after the grace period of the test's clock.
            if (await Task.WhenAny(stopping, Time.WaitForTimerAsync(TimeSpan.FromSeconds(10))) != stopping)
            {
                Time.Advance(TimeSpan.FromSeconds(10));
            }
            await stopping;
        }
        Folder.Dispose();
        await Console.DisposeAsync();
    }

    private sealed class Keys : IModuleKeys
    {
        public string DeviceId => "gateway";

        public string HubHostName => "hub.local";

        public ModuleKey? Find(string moduleId) =>
            moduleId == "Unknown" ? null : new("637", "01234567890123456789012345678901"u8.ToArray());
    }
}
