using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Durable;

/// <summary>
/// Many values on disk, one <see cref="DurableRecord{T}"/> each, named by id. One damaged record never hides the others.
/// </summary>
/// <typeparam name="T">What is kept.</typeparam>
public sealed class DurableFolder<T>
    where T : class
{
    private const string Extension = ".json";

    private readonly string folder;
    private readonly JsonTypeInfo<T> typeInfo;
    private readonly Failpoint? failpoint;
    private readonly ILogger logger;
    private readonly int format;

    /// <summary>Names the folder and makes it.</summary>
    public DurableFolder(string folder, JsonTypeInfo<T> typeInfo, Failpoint? failpoint, ILogger logger, int format = 1)
    {
        this.folder = folder;
        this.typeInfo = typeInfo;
        this.failpoint = failpoint;
        this.logger = logger;
        this.format = format;
        Directory.CreateDirectory(folder);
    }

    /// <summary>All readable values, in no order.</summary>
    public IEnumerable<T> LoadAll()
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            if (At(path).Load() is { } value)
            {
                yield return value;
            }
        }
    }

    /// <summary>The value of this id, or null.</summary>
    public T? Load(string id) => At(PathOf(id)).Load();

    /// <summary>Adds or replaces; on disk when this returns.</summary>
    public void Save(string id, T value) => At(PathOf(id)).Save(value);

    /// <summary>Removes for good. No error when it is not there.</summary>
    public void Delete(string id) => At(PathOf(id)).Delete();

    private string PathOf(string id) =>
        RecordIds.IsValid(id)
            ? Path.Combine(folder, id + Extension)
            : throw new ArgumentException($"'{id}' is no valid record id.");

    private DurableRecord<T> At(string path) => new(path, typeInfo, failpoint, logger, format);
}

/// <summary>Ids of records.</summary>
public static class RecordIds
{
    /// <summary>True for 1 to 128 of letters, digits, '-', '_', '.', not beginning with a dot: safe as a file name.</summary>
    public static bool IsValid(string id) =>
        id.Length is > 0 and <= 128
        && id[0] != '.'
        && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
