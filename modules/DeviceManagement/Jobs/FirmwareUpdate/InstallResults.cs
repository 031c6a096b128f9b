using System.Collections.Immutable;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;

/// <summary>Results in Device Update's shape and numbers.</summary>
internal static class InstallResults
{
    private const int Applied = 700;
    private const int InstallAlreadyDone = 603;
    private const int Failure = 0;
    private const int Cancelled = -1;
    private const int MaxDetails = 1024;

    /// <summary>The result of an update that the host worked on.</summary>
    public static InstallResult Of(UpdateStatus end)
    {
        var steps = end.Steps.ToImmutableSortedDictionary(
            s => $"step_{s.Index}",
            s => new StepResult(
                s.ResultCode ?? Failure,
                Hexadecimal(s.ExtendedResultCode ?? 0),
                Shorten(s.ResultDetails ?? "")
            ),
            StringComparer.Ordinal
        );
        var root = end.Steps.FirstOrDefault(s => s.State == "failed")?.ExtendedResultCode ?? 0;
        return new(
            end.State switch
            {
                HostUpdateState.Committed => Applied,
                HostUpdateState.Cancelled => Cancelled,
                _ => Failure,
            },
            Hexadecimal(root),
            Shorten(end.Error?.Message ?? ""),
            steps
        );
    }

    /// <summary>The result of an update that was there before.</summary>
    public static InstallResult AlreadyInstalled() =>
        new(
            InstallAlreadyDone,
            Hexadecimal(0),
            "This update was installed before.",
            ImmutableSortedDictionary<string, StepResult>.Empty
        );

    /// <summary>The result of a job that ended before the host worked on it.</summary>
    public static InstallResult Of(JobDocument job) =>
        new(
            job.Status == JobStatuses.Cancelled ? Cancelled : Failure,
            Hexadecimal(0),
            Shorten(job.Error?.Message ?? ""),
            ImmutableSortedDictionary<string, StepResult>.Empty
        );

    private static string Hexadecimal(int code) =>
        code.ToString("X8", System.Globalization.CultureInfo.InvariantCulture);

    private static string Shorten(string text) => text.Length <= MaxDetails ? text : text[..MaxDetails];
}
