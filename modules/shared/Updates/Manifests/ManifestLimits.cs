namespace EdgeDm.Updates;

/// <summary>
/// Bounds of a manifest. All are above what Device Update's service lets through, and low enough that reading a hostile
/// manifest costs a gateway next to nothing.
/// </summary>
public static class ManifestLimits
{
    /// <summary>Most bytes of a manifest, attached or detached.</summary>
    public const int MaxManifestBytes = 256 * 1024;

    /// <summary>
    /// A manifest with more UTF-8 bytes than this is published detached: a twin's string holds 4,096 bytes, and the rest is
    /// room for what the hub counts in.
    /// </summary>
    public const int MaxAttachedBytes = 4_000;

    /// <summary>Most bytes of a detached manifest's file: the manifest as a JSON string, with its escapes.</summary>
    public const int MaxDetachedFileBytes = 2 * MaxManifestBytes;

    /// <summary>Most files.</summary>
    public const int MaxFiles = 256;

    /// <summary>Most instruction steps.</summary>
    public const int MaxSteps = 64;

    /// <summary>Most sets of compatibility properties.</summary>
    public const int MaxCompatibilitySets = 32;

    /// <summary>Most properties in one set.</summary>
    public const int MaxCompatibilityProperties = 16;

    /// <summary>Most characters of a file id, a handler's name, a compatibility property's name or value.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Most characters of a step's description, of a file's arguments and MIME type.</summary>
    public const int MaxTextLength = 1024;

    /// <summary>Most UTF-8 bytes of a file name; what file systems take.</summary>
    public const int MaxFileNameBytes = 255;

    /// <summary>Most bytes of one file: 64 GiB.</summary>
    public const long MaxFileSize = 64L * 1024 * 1024 * 1024;

    /// <summary>Deepest nesting of objects and arrays.</summary>
    public const int MaxDepth = StrictJson.MaxDepth;
}
