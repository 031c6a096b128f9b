using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Durable;

/// <summary>
/// One value on disk as JSON: <c>{"format":n,"value":{...}}</c>. A newer program reads every older format; a damaged or
/// too new file is set aside as <c>&lt;name&gt;.damaged-&lt;time&gt;</c> with an error in the log, never deleted.
/// Not for use by two threads at once.
/// </summary>
/// <typeparam name="T">What is kept.</typeparam>
public sealed partial class DurableRecord<T>
    where T : class
{
    private readonly string path;
    private readonly JsonTypeInfo<T> typeInfo;
    private readonly Failpoint? failpoint;
    private readonly int format;
    private readonly ILogger logger;
    private readonly TimeProvider time;

    /// <summary>Names the file; nothing is read yet.</summary>
    /// <param name="path">The file; its folder is made on the first save.</param>
    /// <param name="typeInfo">Source-generated type information.</param>
    /// <param name="failpoint">Passed at each save and removal; null where a kill needs no test of its own.</param>
    /// <param name="logger">Told of damage.</param>
    /// <param name="format">Version of <typeparamref name="T"/>'s shape; raise it when an older program must not read it.</param>
    /// <param name="time">For the name of a damaged file.</param>
    public DurableRecord(
        string path,
        JsonTypeInfo<T> typeInfo,
        Failpoint? failpoint,
        ILogger logger,
        int format = 1,
        TimeProvider? time = null
    )
    {
        this.path = path;
        this.typeInfo = typeInfo;
        this.failpoint = failpoint;
        this.format = format;
        this.logger = logger;
        this.time = time ?? TimeProvider.System;
    }

    /// <summary>The value, or null when there is none (or only a damaged one, now set aside).</summary>
    public T? Load()
    {
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var found = document.RootElement.GetProperty("format").GetInt32();
            if (found > format)
            {
                SetAside($"its format {found} is newer than {format}");
                return null;
            }
            return document.RootElement.GetProperty("value").Deserialize(typeInfo);
        }
        catch (Exception error)
            when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            SetAside(error.Message);
            return null;
        }
    }

    /// <summary>Replaces the value; on disk when this returns.</summary>
    public void Save(T value)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format", format);
            writer.WritePropertyName("value");
            JsonSerializer.Serialize(writer, value, typeInfo);
            writer.WriteEndObject();
        }
        AtomicFile.Write(path, buffer.GetBuffer().AsSpan(0, (int)buffer.Length), failpoint);
    }

    /// <summary>Removes the value for good.</summary>
    public void Delete() => AtomicFile.Delete(path, failpoint);

    /// <summary>Sets the file aside: for a value that can be read and yet makes no sense.</summary>
    /// <param name="reason">For the log.</param>
    public void SetAside(string reason)
    {
        var aside = $"{path}.damaged-{time.GetUtcNow():yyyyMMddTHHmmssfff}";
        File.Move(path, aside, overwrite: true);
        LogSetAside(logger, path, aside, reason);
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Record {Path} cannot be read and was set aside as {Aside}: {Reason}"
    )]
    private static partial void LogSetAside(ILogger logger, string path, string aside, string reason);
}
