using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>Ours: the dev hub with the repository's deployment and the simulated host, with a state of its own.</summary>
internal static partial class Gateway
{
    /// <summary>The modules of the deployment.</summary>
    public static IReadOnlyList<string> Modules { get; } =
    ["DeviceManagement", "FirmwareDownload", "Telemetry", "HostAccess"];

    /// <summary>
    /// Starts all, and returns when three modules are connected to the hub and HostAccess, which has no network, serves.
    /// </summary>
    /// <param name="data">An empty folder.</param>
    /// <param name="programs">The modules' programs; null = they run as containers.</param>
    /// <param name="cancellationToken">Ends all again.</param>
    public static async Task<ProcessFamily> StartAsync(
        string data,
        PublishedCopy? programs,
        CancellationToken cancellationToken
    )
    {
        await PrepareAsync(data, cancellationToken);
        var start = new ProcessStartInfo(Built.Program("modules/tools/DevHub"));
        string[] arguments =
        [
            "--deployment",
            Path.Combine(RepositoryRoot.Path, "deployment.template.json"),
            "--data",
            data,
            .. programs is null ? new[] { "--launch", "docker" } : ["--programs", programs.Folder],
            "--map-host",
            $"/etc/edgedm={data}/host/etc/edgedm",
            "--mqtt-port",
            "0",
            "--https-port",
            "0",
            "--stop-on-stdin-close",
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        return await ProcessFamily.StartAsync(
            start,
            Modules.Count,
            new Reader(isContained: programs is null).Read,
            cancellationToken
        );
    }

    // The simulated host's file and the keys it trusts, as scripts/run makes them. Takes a second, and is not left midway.
    private static async Task PrepareAsync(string data, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash") { UseShellExecute = false, RedirectStandardError = true };
        string[] arguments =
        [
            "-euc",
            """. "$0"; prepare_data "$1" """,
            Path.Combine(RepositoryRoot.Path, "scripts", "lib.sh"),
            data,
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        using var bash = Process.Start(start)!;
        var error = await bash.StandardError.ReadToEndAsync(CancellationToken.None);
        await bash.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested(); // Ctrl-C reaches bash too, so before its exit code.
        if (bash.ExitCode != 0)
        {
            throw new BenchException($"The simulated host cannot be prepared: {error}");
        }
    }

    /// <summary>Follows the modules' log lines, which the dev hub prints behind their names.</summary>
    private sealed partial class Reader(bool isContained)
    {
        private readonly Dictionary<string, int> started = new(StringComparer.Ordinal);

        public Member? Read(string line)
        {
            if (Started().Match(line) is { Success: true } start)
            {
                started[start.Groups["module"].Value] = int.Parse(
                    start.Groups["process"].ValueSpan,
                    CultureInfo.InvariantCulture
                );
            }
            if (Ready().Match(line) is not { Success: true } ready)
            {
                return null;
            }
            var module = ready.Groups["module"].Value;
            if (!started.TryGetValue(module, out var process))
            {
                return null;
            }
            process = isContained ? GatewayContainers.ProcessOf(module) : process;
            return new(module, process, LogTime.Of(line) - ProcessSample.StartOf(process));
        }

        [GeneratedRegex(@"^(?<module>\w+) *\| .* starts, process (?<process>\d+)", RegexOptions.ExplicitCapture, 1000)]
        private static partial Regex Started();

        [GeneratedRegex(
            @"^(?<module>\w+) *\| .* - (Connected to the hub as |HostAccess serves )",
            RegexOptions.ExplicitCapture,
            1000
        )]
        private static partial Regex Ready();
    }
}
