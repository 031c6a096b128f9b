using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>DeviceManagement's job records on disk: how a test sees where a job is, hub or no hub.</summary>
internal static class JobRecords
{
    /// <summary>Id of the first job.</summary>
    public static async Task<string> WaitForJobAsync(this Gateway gateway)
    {
        var folder = Folder(gateway);
        var file = await HubService.WaitAsync(() =>
            Task.FromResult(
                Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json").FirstOrDefault() : null
            )
        );
        return Path.GetFileNameWithoutExtension(file);
    }

    /// <summary>A job's record as soon as it fits.</summary>
    public static Task<JsonNode> WaitForRecordAsync(this Gateway gateway, string job, Func<JsonNode, bool> fits) =>
        HubService.WaitAsync(async () =>
            JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder(gateway), job + ".json")))!["value"]
                is { } record
            && fits(record)
                ? record
                : null
        );

    /// <summary>Until a job has begun a step.</summary>
    public static Task WaitForStepAsync(this Gateway gateway, string job, string step) =>
        gateway.WaitForRecordAsync(job, r => (string?)r["steps"]!.AsArray().LastOrDefault()?["name"] == step);

    private static string Folder(Gateway gateway) =>
        Path.Combine(gateway.DataFolder, "volumes", "edgedm-device-management", "jobs");
}
