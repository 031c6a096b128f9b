using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates.Tests;

public sealed class UpdateBundleTests
{
    private static readonly Dictionary<string, byte[]> Contents = new(StringComparer.Ordinal)
    {
        ["install.sh"] = "#!/bin/sh\n"u8.ToArray(),
        ["image.bin"] = RandomNumberGenerator.GetBytes(100_000),
        ["empty"] = [],
        ["block"] = new byte[512],
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReadFilesAsync_WhatWriteAsyncMade_GivesEveryFile(bool detached)
    {
        var built = Build(detached);
        var bundle = await WriteAsync(built);

        var reader = await UpdateBundleReader.OpenAsync(new Trickle(bundle), default);
        reader.Jws.ShouldBe("a.b.c");
        reader.ManifestBytes.ToArray().ShouldBe(built.Attached.ToArray());
        var read = await ReadAllAsync(reader);

        var expected = Contents.ToDictionary(StringComparer.Ordinal);
        if (built.Detached is { } file)
        {
            expected[file.FileName] = file.Content.ToArray();
        }
        (built.Detached is not null).ShouldBe(detached);
        read.Keys.Order().ShouldBe(expected.Keys.Order());
        foreach (var (name, content) in expected)
        {
            read[name].ShouldBe(content);
        }
    }

    [Fact]
    public async Task ReadFilesAsync_ConsumerLeavesContent_GoesOnWithTheNext()
    {
        var reader = await UpdateBundleReader.OpenAsync(new MemoryStream(await WriteAsync(Build(false))), default);
        var names = new List<string>();
        await foreach (var file in reader.ReadFilesAsync(default))
        {
            names.Add(file.File.FileName);
        }
        names.Order().ShouldBe(Contents.Keys.Order());
    }

    [Fact]
    public async Task WriteAsync_Twice_GivesTheSameBytes() =>
        (await WriteAsync(Build(true))).ShouldBe(await WriteAsync(Build(true)));

    [Fact]
    public async Task WriteAsync_AnyTarProgram_CanReadIt()
    {
        await using var tar = new TarReader(new MemoryStream(await WriteAsync(Build(false))));
        var names = new List<string>();
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            names.Add(entry.Name);
        }
        names.ShouldBe(["updateManifest.json", "updateManifest.jws", "block", "empty", "image.bin", "install.sh"]);
    }

    [Fact]
    public async Task OpenAsync_OtherOrder_IsRefused()
    {
        var built = Build(false);
        var error = await RefusedAsync(
            Tar(("updateManifest.jws", "a.b.c"u8.ToArray()), ("updateManifest.json", built.Attached.ToArray()))
        );
        error.Code.ShouldBe(ErrorRegistry.BundleMalformed.Code);
        error.Context.ShouldBe("updateManifest.json");
    }

    [Theory]
    [InlineData("extra", "twice, or the manifest does not name it")]
    [InlineData("../install.sh", "twice, or the manifest does not name it")]
    [InlineData("/etc/passwd", "twice, or the manifest does not name it")]
    public async Task ReadFilesAsync_MemberThatTheManifestDoesNotName_IsRefused(string name, string words) =>
        (await RefusedAsync(Tar([.. Head(), (name, [])]))).Message.ShouldContain(words);

    [Fact]
    public async Task ReadFilesAsync_MemberTwice_IsRefused() =>
        (await RefusedAsync(Tar([.. Head(), .. Files(), ("empty", [])]))).Context.ShouldBe("empty");

    [Fact]
    public async Task ReadFilesAsync_OtherSize_IsRefused() =>
        (await RefusedAsync(Tar([.. Head(), ("install.sh", "x"u8.ToArray())]))).Message.ShouldContain("has 1 bytes");

    [Fact]
    public async Task ReadFilesAsync_FileMissing_IsRefused() =>
        (
            await RefusedAsync(Tar([.. Head(), .. Files().Where(file => file.Name != "image.bin")]))
        ).Message.ShouldContain("'image.bin' is missing");

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Directory)]
    public async Task ReadFilesAsync_NoPlainFile_IsRefused(TarEntryType type)
    {
        var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in Head())
            {
                await tar.WriteEntryAsync(
                    new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }
                );
            }
            var entry = new UstarTarEntry(type, "install.sh");
            if (type != TarEntryType.Directory)
            {
                entry.LinkName = "/etc/shadow";
            }
            await tar.WriteEntryAsync(entry);
        }
        (await RefusedAsync(stream.ToArray())).Message.ShouldContain("not a plain file");
    }

    [Fact]
    public async Task OpenAsync_ExtendedHeader_IsRefused()
    {
        var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "updateManifest.json"));
        }
        (await RefusedAsync(stream.ToArray())).Message.ShouldContain("not a plain file");
    }

    [Fact]
    public async Task OpenAsync_ManifestAboveItsLimit_IsRefusedBeforeItIsRead()
    {
        var header = Tar(("updateManifest.json", new byte[ManifestLimits.MaxManifestBytes + 1]))[..512];
        (await RefusedAsync(header)).Message.ShouldContain($"{ManifestLimits.MaxManifestBytes}");
    }

    [Fact]
    public async Task ReadFilesAsync_CutAnywhere_EndsWithAnError()
    {
        var bundle = await WriteAsync(Build(false));
        // The archive's two closing blocks: one is enough.
        foreach (var length in new[] { 0, 1, 511, 512, 513, 1024, 2000, bundle.Length / 2, bundle.Length - 1025 })
        {
            await Should.ThrowAsync<EndOfStreamException>(() => ReadAsync(bundle[..length]));
        }
    }

    [Fact]
    public async Task OpenAsync_DamagedHeader_IsRefused()
    {
        var bundle = await WriteAsync(Build(false));
        bundle[3] ^= 1;
        (await RefusedAsync(bundle)).Message.ShouldContain("damaged");
        (await RefusedAsync(Encoding.ASCII.GetBytes(new string('x', 2000)))).Message.ShouldContain(
            "not a ustar archive"
        );
    }

    [Theory]
    [InlineData("größe")]
    [InlineData("updateManifest.jws")]
    public async Task WriteAsync_NameThatDoesNotFit_IsRefused(string name)
    {
        var built = ManifestBuilder.Build(Samples.Update(null, Samples.File(name, [])));
        var error = (await Should.ThrowAsync<EdgeDmException>(() => WriteAsync(built, _ => new MemoryStream()))).Error;
        error.Code.ShouldBe(3009);
        error.Context.ShouldBe(name);
    }

    [Theory]
    [InlineData(UpdateBundle.MaxNameBytes, true)]
    [InlineData(UpdateBundle.MaxNameBytes + 1, false)]
    public async Task WriteAsync_NameAtItsLongest_Edge(int length, bool accepted)
    {
        var built = ManifestBuilder.Build(Samples.Update(null, Samples.File(new string('n', length), [])));
        var write = () => WriteAsync(built, _ => new MemoryStream());
        if (accepted)
        {
            var read = await ReadAsync(await write());
            read.Single().Key.Length.ShouldBe(length);
        }
        else
        {
            await Should.ThrowAsync<EdgeDmException>(write);
        }
    }

    [Fact]
    public async Task WriteAsync_FileThatChanged_IsRefused() =>
        (
            await Should.ThrowAsync<EdgeDmException>(() =>
                WriteAsync(Build(false), _ => new MemoryStream(new byte[7], writable: false))
            )
        ).Error.Message.ShouldContain("has 7 bytes");

    private static BuiltManifest Build(bool detached)
    {
        var update = Samples.Update(null, [.. Contents.Select(file => Samples.File(file.Key, file.Value))]);
        return ManifestBuilder.Build(
            detached
                ? update with
                {
                    Steps = [.. Enumerable.Repeat(update.Steps[0] with { Description = new string('d', 900) }, 5)],
                }
                : update
        );
    }

    private static async Task<byte[]> WriteAsync(BuiltManifest built, Func<ManifestFile, Stream>? open = null)
    {
        var stream = new MemoryStream();
        await UpdateBundle.WriteAsync(
            stream,
            built,
            "a.b.c",
            open ?? (file => new MemoryStream(Contents[file.FileName], writable: false)),
            default
        );
        return stream.ToArray();
    }

    private static async Task<ErrorObject> RefusedAsync(byte[] bundle) =>
        (await Should.ThrowAsync<EdgeDmException>(() => ReadAsync(bundle))).Error;

    private static async Task<Dictionary<string, byte[]>> ReadAsync(byte[] bundle) =>
        await ReadAllAsync(await UpdateBundleReader.OpenAsync(new MemoryStream(bundle), default));

    private static async Task<Dictionary<string, byte[]>> ReadAllAsync(UpdateBundleReader reader)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await foreach (var file in reader.ReadFilesAsync(default))
        {
            var content = new MemoryStream();
            await file.Content.CopyToAsync(content);
            files.Add(file.File.FileName, content.ToArray());
        }
        return files;
    }

    private static (string Name, byte[] Content)[] Head() =>
        [("updateManifest.json", Build(false).Attached.ToArray()), ("updateManifest.jws", "a.b.c"u8.ToArray())];

    private static (string Name, byte[] Content)[] Files() => [.. Contents.Select(file => (file.Key, file.Value))];

    private static byte[] Tar(params (string Name, byte[] Content)[] members)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in members)
            {
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }
                );
            }
        }
        return stream.ToArray();
    }

    /// <summary>A source like a slow network: forward only, a few bytes at a time.</summary>
    private sealed class Trickle(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 333)], cancellationToken);
    }
}
