using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>One way in which an update can be bad, and the end that it must come to.</summary>
/// <param name="Name">In words.</param>
/// <param name="Error">What the twin must tell.</param>
/// <param name="Spoil">Makes a good draft bad.</param>
internal sealed record BadInput(string Name, ErrorCode Error, Action<UpdateDraft, TroubledGateway> Spoil)
{
    /// <summary>The step that finds it.</summary>
    public string Step { get; init; } = "check";

    /// <summary>The part that finds it.</summary>
    public string Subsystem { get; init; } = Subsystems.HostAccess;

    /// <summary>Parameters of the error that must say something.</summary>
    public string[] Tells { get; init; } = [];

    /// <summary>Most requests for the file.</summary>
    public int MostRequests { get; init; }

    public static IReadOnlyList<BadInput> All { get; } =
    [
        // What was signed, and by whom.
        new("tampered manifest", ErrorRegistry.ManifestTampered, (d, _) => d.AfterSigning = m => m + " "),
        new("text that is no manifest", ErrorRegistry.ManifestTampered, (d, _) => d.AfterSigning = _ => "no JSON"),
        new("signed text that is no JSON", ErrorRegistry.ManifestMalformed, (d, _) => d.BeforeSigning = m => m[..^1]),
        new(
            "manifest version 3",
            ErrorRegistry.ManifestVersion,
            (d, _) => d.BeforeSigning = Replacing("\"manifestVersion\":\"5\"", "\"manifestVersion\":\"3\"")
        )
        {
            Tells = ["found"],
        },
        new("unknown key", ErrorRegistry.UnknownRoot, (d, _) => d.Publisher = UpdatePublisher.Stranger),
        new("signature that is none", ErrorRegistry.SignatureMalformed, (d, _) => d.Signature = _ => "x"),
        new(
            "alg none",
            ErrorRegistry.SignatureAlgorithm,
            (d, _) => d.Signature = jws => UpdateDraft.WithAlgorithm(jws, "none", _ => [])
        ),
        new(
            "alg HS256",
            ErrorRegistry.SignatureAlgorithm,
            (d, _) =>
                d.Signature = jws =>
                    UpdateDraft.WithAlgorithm(
                        jws,
                        "HS256",
                        text => HMACSHA256.HashData(Encoding.ASCII.GetBytes(jws), text)
                    )
        ),
        // Whether it belongs here.
        new("not for this host", ErrorRegistry.NotCompatible, (d, _) => d.Model = "Toaster")
        {
            Tells = ["deviceManufacturer", "deviceModel"],
        },
        new("older than installed", ErrorRegistry.NotNewer, (d, _) => d.Version = "0.9.9")
        {
            Tells = ["installed", "offered"],
        },
        new(
            "handler that this host has not",
            ErrorRegistry.UnknownHandler,
            (d, _) => d.BeforeSigning = Replacing("edgedm/simulator:1", "microsoft/apt:1")
        )
        {
            Tells = ["handler"],
        },
        // What the server does.
        Download("wrong digest", ErrorRegistry.DigestMismatch, (d, s) => s.Serve(Spoilt(d.Firmware))) with
        {
            Tells = ["expected", "found"],
        },
        Download("404", ErrorRegistry.HttpStatus, (_, _) => TroubledServer.Status(404)) with
        {
            Tells = ["status", "server"],
        },
        Download("503 for ever", ErrorRegistry.HttpStatus, (_, _) => TroubledServer.Status(503)) with
        {
            Tells = ["status", "server"],
            MostRequests = TroubledGateway.MaxAttempts,
        },
        Download("sends no byte", ErrorRegistry.Stalled, (d, _) => TroubledServer.Stall(d.Firmware.Length)) with
        {
            Tells = ["seconds", "bytesPerSecond"],
            MostRequests = TroubledGateway.MaxAttempts,
        },
        Download("sends a few bytes now and then", ErrorRegistry.Stalled, (d, s) => s.Trickle(d.Firmware)) with
        {
            Tells = ["seconds", "bytesPerSecond"],
            MostRequests = TroubledGateway.MaxAttempts,
        },
        Download("hangs up half-way", ErrorRegistry.ConnectionFailed, (d, s) => s.Serve(d.Firmware, 1)) with
        {
            MostRequests = TroubledGateway.MaxAttempts + 1,
        },
        Download(
            "says that it is longer",
            ErrorRegistry.WrongSize,
            (d, s) => s.Serve([.. d.Firmware, .. new byte[100]])
        ) with
        {
            Tells = ["expected", "found"],
        },
        Download("says that it is shorter", ErrorRegistry.WrongSize, (d, s) => s.Serve(d.Firmware[..^1])) with
        {
            Tells = ["expected", "found"],
        },
        Download("sends more bytes", ErrorRegistry.WrongSize, (d, s) => s.SendUnannounced(d.Firmware.Length + 1)) with
        {
            Tells = ["expected", "found"],
        },
        Download("sends fewer bytes", ErrorRegistry.WrongSize, (d, s) => s.SendUnannounced(d.Firmware.Length - 1)) with
        {
            Tells = ["expected", "found"],
        },
        Download("redirects for ever", ErrorRegistry.TooManyRedirects, (_, _) => TroubledServer.RedirectForEver) with
        {
            Tells = ["limit"],
            MostRequests = 6,
        },
        // What the script does.
        Install("exits with 7", ErrorRegistry.StepFailed, Scripts.ExitsWith7) with
        {
            Tells = ["step", "action", "exitCode", "extendedResultCode"],
        },
        Install("writes no result file", ErrorRegistry.StepResultMissing, Scripts.WritesNoResult),
        Install("writes a result that is no JSON", ErrorRegistry.StepResultMissing, Scripts.WritesNoJson),
        Install("runs for ever", ErrorRegistry.StepTimedOut, Scripts.RunsForEver) with
        {
            Tells = ["step", "action", "seconds"],
        },
        Install("daemonizes", ErrorRegistry.StepFailed, Scripts.Daemonizes),
        Install("daemonizes with its output", ErrorRegistry.StepFailed, Scripts.DaemonizesWithItsOutput),
        Install("daemonizes and runs for ever", ErrorRegistry.StepTimedOut, Scripts.DaemonizesAndRunsForEver),
    ];

    private static BadInput Download(
        string name,
        ErrorCode error,
        Func<UpdateDraft, TroubledServer, Microsoft.AspNetCore.Http.RequestDelegate> server
    ) =>
        new($"server: {name}", error, (d, g) => d.Server = server(d, g.Server))
        {
            Step = "download",
            Subsystem = Subsystems.FirmwareDownload,
            MostRequests = 1,
        };

    private static BadInput Install(string name, ErrorCode error, string script) =>
        new($"script: {name}", error, (d, _) => d.Script = script)
        {
            Step = "install",
            Tells = ["step", "action"],
            MostRequests = 1,
        };

    private static Func<string, string> Replacing(string old, string by) =>
        text =>
            text.Contains(old, StringComparison.Ordinal)
                ? text.Replace(old, by, StringComparison.Ordinal)
                : throw new ArgumentException($"The manifest has no {old}.");

    private static byte[] Spoilt(byte[] content) => [.. content[..^1], (byte)~content[^1]];
}
