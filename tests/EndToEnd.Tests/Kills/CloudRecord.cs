using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.DevHub.Twins;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>What the cloud was told, from the file that <c>--record</c> writes.</summary>
internal sealed class CloudRecord(string file)
{
    private const int LinesOfTail = 30;

    private static readonly string[] Terminal = ["succeeded", "failed"];

    /// <summary>The changes of a deployment's status to a terminal one, as a watcher of the twin sees them.</summary>
    public IReadOnlyList<string> EndsOf(string deployment)
    {
        var ends = new List<string>();
        string? before = null;
        foreach (var group in Reports())
        {
            var meta = group["__meta"];
            var now = (string?)meta?["deploymentId"] == deployment ? (string?)meta["deploymentStatus"] : null;
            if (now != before && Terminal.Contains(now))
            {
                ends.Add(now!);
            }
            before = now;
        }
        return ends;
    }

    /// <summary>The percents that were told of a job's step.</summary>
    public IReadOnlyList<int> PercentsOf(string step) =>
        [
            .. Reports()
                .Where(group => (string?)group["step"] == step)
                .Select(group => (int?)group["percent"])
                .OfType<int>(),
        ];

    /// <summary>The events of a job: status and message id of each, repeats included.</summary>
    public IReadOnlyList<(string Status, string MessageId)> EventsOf(string jobId) =>
        [
            .. Lines("message")
                .Select(line => line["message"]!)
                .Where(message =>
                    (string?)message["properties"]?["schema"] == Schemas.JobEvent
                    && (string?)message["body"]?["jobId"] == jobId
                )
                .Select(message =>
                    ((string)message["body"]!["status"]!, (string)message["systemProperties"]!["messageId"]!)
                ),
        ];

    /// <summary>Its last lines, for people.</summary>
    public string Tail => string.Join('\n', Read().TakeLast(LinesOfTail));

    /// <summary>Group <c>firmwareUpdate</c> behind each patch.</summary>
    private IEnumerable<JsonObject> Reports()
    {
        var group = new JsonObject();
        foreach (var patch in Patches())
        {
            if (patch["firmwareUpdate"] is JsonObject change)
            {
                group = MergePatch.Apply(group, change);
            }
            yield return group;
        }
    }

    /// <summary>In the order of their versions. Of two with one version the hub had not taken the first when it was killed.</summary>
    private IEnumerable<JsonObject> Patches() =>
        Lines("reported")
            .Where(line => (string?)line["moduleId"] == "DeviceManagement")
            .GroupBy(line => (long)line["version"]!)
            .OrderBy(same => same.Key)
            .Select(same => same.Last()["patch"]!.AsObject());

    /// <summary>
    /// A line that is no JSON was torn: the hub was killed in the middle of it. Its sender was not told that it was taken, and came again.
    /// </summary>
    private IEnumerable<JsonNode> Lines(string kind) =>
        Read().Select(TryParse).OfType<JsonNode>().Where(node => (string?)node["kind"] == kind);

    private IEnumerable<string> Read()
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static JsonNode? TryParse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
