using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Browser.Tests;

/// <summary>Debian's Chromium without a window, led over the DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly DirectoryInfo profile;
    private readonly Task errors;
    private readonly DevTools tools;

    private Chromium(Process process, DirectoryInfo profile, Task errors, DevTools tools)
    {
        this.process = process;
        this.profile = profile;
        this.errors = errors;
        this.tools = tools;
    }

    /// <summary>Why it cannot run here and how to mend it; null = it can.</summary>
    public static string? Obstacle { get; } =
        Find() is null ? "Chromium is not installed. Install it: apt-get install chromium" : null;

    /// <summary>Starts one with a profile of its own.</summary>
    /// <param name="certificateFile">PEM of the one server's certificate that it accepts beside those of known authorities.</param>
    public static async Task<Chromium> StartAsync(string certificateFile)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(certificateFile);
        var key = Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var home = Directory.CreateTempSubdirectory("edgedm-chromium");
        var start = new ProcessStartInfo(Find()!)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--headless",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                $"--user-data-dir={home.FullName}",
                $"--ignore-certificate-errors-spki-list={key}",
            },
        };
        if (Environment.UserName == "root")
        {
            start.ArgumentList.Add("--no-sandbox"); // It refuses to sandbox for root.
        }
        var started = Process.Start(start)!;
        started.OutputDataReceived += (_, _) => { };
        started.BeginOutputReadLine();
        try
        {
            using var limit = new CancellationTokenSource(Patience);
            var address = await AddressAsync(started.StandardError, limit.Token);
            var rest = started.StandardError.ReadToEndAsync(CancellationToken.None);
            return new(started, home, rest, await DevTools.ConnectAsync(address, limit.Token));
        }
        catch
        {
            started.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>A new tab.</summary>
    public Task<BrowserTab> OpenTabAsync() => BrowserTab.OpenAsync(tools);

    public async ValueTask DisposeAsync()
    {
        await tools.DisposeAsync();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().WaitAsync(Patience);
        await errors;
        process.Dispose();
        try
        {
            profile.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A helper of its own may still write there as it ends; the folder is a temporary one.
        }
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .SelectMany(folder =>
                new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name))
            )
            .FirstOrDefault(File.Exists);

    private static async Task<Uri> AddressAsync(StreamReader output, CancellationToken cancellationToken)
    {
        const string Before = "DevTools listening on ";
        while (await output.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(Before, StringComparison.Ordinal))
            {
                return new(line[Before.Length..]);
            }
        }
        throw new InvalidOperationException("Chromium ended before it could be led.");
    }
}
