using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Trust;

/// <summary>
/// Which root keys this host trusts: those of host-access.json until a root list was accepted, and from then on the last accepted list
/// alone. When that list's record is damaged nothing is trusted, because the roots before it may have been revoked.
/// </summary>
internal sealed partial class HostTrust
{
    private const string FileName = "roots.json";

    private readonly DurableRecord<StoredRootList> record;
    private readonly TrustedRoots first;
    private readonly int? signatures;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly bool damaged;
    private RootList? list;

    /// <summary>Reads the record.</summary>
    /// <param name="folder">HostAccess's own folder.</param>
    /// <param name="first">The roots of host-access.json.</param>
    /// <param name="signatures">How many of the present roots must sign a list; null = all.</param>
    /// <param name="time">For the name of a damaged record.</param>
    /// <param name="logger">Told which roots hold.</param>
    public HostTrust(string folder, TrustedRoots first, int? signatures, TimeProvider time, ILogger logger)
    {
        record = new(
            Path.Combine(folder, FileName),
            RootListJson.Default.StoredRootList,
            failpoint: null, // A replaced file is the old or the new one; nothing else of it has to be tried.
            logger,
            time: time
        );
        this.first = first;
        this.signatures = signatures;
        this.logger = logger;
        list = Load();
        // Whoever removes the record that was set aside says so on purpose; its mere absence must not bring old roots back.
        damaged = list is null && Directory.EnumerateFiles(folder, $"{FileName}.damaged-*").Any();
        Tell();
    }

    /// <summary>The present roots. Throws <c>rootListDamaged</c>.</summary>
    public TrustedRoots Roots
    {
        get
        {
            lock (gate)
            {
                RequireReadable();
                return list?.Trust ?? first;
            }
        }
    }

    /// <summary>As it is told. Throws <c>rootListDamaged</c>.</summary>
    public RootListStatus Status
    {
        get
        {
            lock (gate)
            {
                RequireReadable();
                return StatusOf(list);
            }
        }
    }

    /// <summary>
    /// Takes a list that enough of the present roots signed and that is newer than the stored one; on disk when this returns. The
    /// very list that is stored is no error and changes nothing.
    /// </summary>
    /// <param name="text">The list's exact text.</param>
    /// <param name="accept">Called with the outcome before anything is changed.</param>
    public RootListStatus Replace(string text, Action<string, string?> accept)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var next = RootList.Parse(bytes);
        lock (gate)
        {
            RequireReadable();
            if (list is { } present && bytes.AsSpan().SequenceEqual(present.ToBytes()))
            {
                accept("known", NameOf(next));
                return StatusOf(list);
            }
            next.RequireSignedBy(list?.Trust ?? first, signatures);
            RequireNewer(next);
            RequireEnoughLeft(next);
            accept("accepted", NameOf(next));
            record.Save(StoredRootList.Of(next));
            list = next;
            Tell();
            return StatusOf(next);
        }
    }

    private RootList? Load()
    {
        if (record.Load() is not { } stored)
        {
            return null;
        }
        try
        {
            return stored.Read();
        }
        catch (EdgeDmException error)
        {
            record.SetAside(error.Message);
            return null;
        }
    }

    private void RequireReadable()
    {
        if (damaged)
        {
            throw ErrorRegistry.RootListDamaged.Refusal(
                FileName,
                "The record of the root list that this host accepted cannot be read, so it trusts no key."
            );
        }
    }

    private void RequireNewer(RootList next)
    {
        if (next.Version <= (list?.Version ?? 0))
        {
            throw ErrorRegistry.RootListNotNewer.Refusal(
                "version",
                $"The list has version {next.Version} and this host has accepted version {list!.Version}.",
                ("accepted", $"{list.Version}"),
                ("offered", $"{next.Version}")
            );
        }
    }

    /// <summary>A list with fewer roots than must sign the next one would be the last.</summary>
    private void RequireEnoughLeft(RootList next)
    {
        if (signatures is { } needed && next.Trust.Count < needed)
        {
            throw ErrorRegistry.RootListMalformed.Refusal(
                "rootKeys",
                $"The list leaves {next.Trust.Count} root keys, and on this host {needed} must sign the next one.",
                ("needed", $"{needed}")
            );
        }
    }

    private RootListStatus StatusOf(RootList? present)
    {
        var trust = present?.Trust ?? first;
        return new(
            present?.Version ?? 0,
            [.. trust.KeyIds.Except(trust.DisabledRootKeys)],
            [.. trust.DisabledRootKeys],
            [.. trust.DisabledSigningKeys],
            signatures ?? trust.Count,
            present?.Published
        );
    }

    private void Tell()
    {
        if (damaged)
        {
            LogDamaged(logger);
        }
        else if (list is not null)
        {
            var keyIds = string.Join(", ", list.Trust.KeyIds);
            LogList(logger, list.Version, keyIds);
        }
    }

    private static string NameOf(RootList next) => $"version {next.Version}";

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The accepted root list cannot be read: every update is refused until it is mended, see docs/host-access.md"
    )]
    private static partial void LogDamaged(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Root list version {Version} holds, trustedRoots of host-access.json does not: {KeyIds}"
    )]
    private static partial void LogList(ILogger logger, long version, string keyIds);
}

/// <summary>The accepted list on disk. The keys that signed it may be gone, so its own digest tells whether it is whole.</summary>
/// <param name="Document">The list's text.</param>
/// <param name="Sha256">Its digest, hexadecimal.</param>
internal sealed record StoredRootList(string Document, string Sha256)
{
    public static StoredRootList Of(RootList list)
    {
        var bytes = list.ToBytes();
        return new(Encoding.UTF8.GetString(bytes), DigestOf(bytes));
    }

    /// <summary>The list. Throws <c>rootListDamaged</c>, or what reading it throws.</summary>
    public RootList Read()
    {
        var bytes = Encoding.UTF8.GetBytes(Document);
        return DigestOf(bytes) == Sha256
            ? RootList.Parse(bytes)
            : throw ErrorRegistry.RootListDamaged.Refusal(
                "sha256",
                "The root list has another digest than its record says."
            );
    }

    private static string DigestOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(StoredRootList))]
internal sealed partial class RootListJson : JsonSerializerContext;
