using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeDm.Durable;

namespace EdgeDm.HostAccess.Audit;

/// <summary>
/// Who asked what of the host and what became of it: one JSON line each, on disk when <see cref="Write"/> returns. Holds names and
/// codes only, never manifests, file contents or addresses. When the file is full, it becomes <c>audit.log.1</c> and so on; the
/// oldest goes.
/// </summary>
internal sealed class AuditLog
{
    /// <summary>Bytes of one file: about 5,000 lines.</summary>
    public const long DefaultFileLimit = 1024 * 1024;

    /// <summary>Full files that are kept beside the current one.</summary>
    public const int DefaultKept = 4;

    private const string FileName = "audit.log";

    private static readonly Failpoint Written = new("host.audit");

    private readonly string path;
    private readonly TimeProvider time;
    private readonly long fileLimit;
    private readonly int kept;
    private readonly Lock gate = new();

    /// <summary>Names the file; nothing is written yet.</summary>
    public AuditLog(string folder, TimeProvider time, long fileLimit = DefaultFileLimit, int kept = DefaultKept)
    {
        path = Path.Combine(folder, FileName);
        this.time = time;
        this.fileLimit = fileLimit;
        this.kept = kept;
    }

    /// <summary>Adds a line. Throws <see cref="IOException"/> when it cannot be kept: what cannot be audited must not happen.</summary>
    public void Write(
        Caller caller,
        string verb,
        string commandId,
        string outcome,
        string? error = null,
        string? detail = null
    )
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(
            new AuditLine(time.GetUtcNow(), caller.UserId, caller.ProcessId, verb, commandId, outcome, error, detail),
            AuditJson.Default.AuditLine
        );
        lock (gate)
        {
            RotateIfFull(line.Length + 1);
            Written.Before();
            using var file = LineFile.OpenToAppend(path, FileShare.Read);
            var before = file.Length;
            try
            {
                file.Write([.. line, (byte)'\n']);
                file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                file.SetLength(before); // A disk that became full half-way leaves no half line.
                throw;
            }
            Written.After();
        }
    }

    private void RotateIfFull(int adding)
    {
        var current = new FileInfo(path);
        if (!current.Exists || current.Length + adding <= fileLimit)
        {
            return;
        }
        File.Delete($"{path}.{kept}");
        for (var i = kept - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}");
            }
        }
        File.Move(path, $"{path}.1");
    }
}

/// <summary>Whoever asked, by the kernel's word.</summary>
/// <param name="UserId">User id; null = HostAccess itself.</param>
/// <param name="ProcessId">Process id; null likewise.</param>
internal sealed record Caller(uint? UserId, int? ProcessId)
{
    /// <summary>HostAccess itself: what follows from an earlier verb.</summary>
    public static Caller Self { get; } = new(UserId: null, ProcessId: null);
}

/// <summary>A line of the audit log.</summary>
internal sealed record AuditLine(
    DateTimeOffset Time,
    uint? UserId,
    int? ProcessId,
    string Verb,
    string CommandId,
    string Outcome,
    string? Error,
    string? Detail
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(AuditLine))]
internal sealed partial class AuditJson : JsonSerializerContext;
