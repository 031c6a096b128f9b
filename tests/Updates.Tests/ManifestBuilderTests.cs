using System.Collections.Immutable;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Updates.Tests;

public sealed class ManifestBuilderTests
{
    [Theory]
    [InlineData(ManifestLimits.MaxAttachedBytes - 1, false)]
    [InlineData(ManifestLimits.MaxAttachedBytes, false)]
    [InlineData(ManifestLimits.MaxAttachedBytes + 1, true)]
    public void Build_ManifestAtTheLimit_IsDetachedAboveIt(int bytes, bool detached)
    {
        var built = ManifestBuilder.Build(Samples.UpdateOfBytes(bytes));

        (built.Detached is not null).ShouldBe(detached);
        built.Attached.Length.ShouldBeLessThanOrEqualTo(ManifestLimits.MaxAttachedBytes);
        var attached = UpdateManifest.Parse(built.Attached.Span);
        if (built.Detached is { } file)
        {
            attached.Steps.ShouldBeEmpty();
            attached.Files.Single().Value.FileName.ShouldBe("Contoso.Gateway.2.0.0.updatemanifest.json");
            JsonElement.Parse(file.Content.Span).GetProperty("updateManifest").GetString()!.Length.ShouldBe(bytes);
            attached.ResolveDetached(file.Content.Span).Steps.Length.ShouldBe(1);
        }
        else
        {
            built.Attached.Length.ShouldBe(bytes);
        }
    }

    [Fact]
    public void ResolveDetached_OtherBytes_IsTampered()
    {
        var built = ManifestBuilder.Build(Samples.UpdateOfBytes(5_000));
        var file = built.Detached!.Content.ToArray();
        file[^3] ^= 1;
        Samples.Refused(() => UpdateManifest.Parse(built.Attached.Span).ResolveDetached(file)).Code.ShouldBe(4006);
    }

    [Fact]
    public void ResolveDetached_AnotherUpdatesManifest_IsTampered()
    {
        var built = ManifestBuilder.Build(Samples.UpdateOfBytes(5_000));
        var stub = UpdateManifest.Parse(built.Attached.Span) with { UpdateId = new("Contoso", "Other", "1.0") };
        Samples.Refused(() => stub.ResolveDetached(built.Detached!.Content.Span)).Code.ShouldBe(4006);
    }

    [Fact]
    public void Build_TwoFilesOfOneName_IsRefused() =>
        Samples
            .Refused(() =>
                ManifestBuilder.Build(Samples.Update(null, Samples.File("a", "1"u8), Samples.File("a", "2"u8)))
            )
            .Message.ShouldContain("'a'");

    [Fact]
    public void Build_SameDescription_GivesTheSameBytes() =>
        ManifestBuilder
            .Build(Samples.Update(null, Samples.File("a", "1"u8)))
            .Attached.Span.SequenceEqual(
                ManifestBuilder.Build(Samples.Update(null, Samples.File("a", "1"u8))).Attached.Span
            )
            .ShouldBeTrue();

    [Fact]
    public void Build_AnyDescription_ReadsBackTheSame()
    {
        var words = Gen.Elements('a', 'Z', '9', '.', '_')
            .NonEmptyListOf()
            .Select(letters => $"n{string.Concat(letters.Take(30))}n");
        var texts = ArbMap.Default.GeneratorFor<string>().Select(text => Clean(text));
        var updates =
            from name in words
            from version in Gen.Choose(0, 1000).NonEmptyListOf().Select(parts => string.Join('.', parts.Take(8)))
            from files in words
                .ListOf()
                .Select(names => names.Distinct(StringComparer.OrdinalIgnoreCase).Take(20).ToArray())
            from size in Gen.Choose(0, int.MaxValue)
            from description in texts
            from value in texts
            select new UpdateDescription(
                new("provider", name, version),
                [
                    ImmutableSortedDictionary<string, string>.Empty.Add(
                        "model",
                        $"x{value}"[..Math.Min(value.Length + 1, 100)]
                    ),
                ],
                [new("h:1", [.. files], JsonElement.Parse(JsonSerializer.Serialize(new { value })), description)],
                [.. files.Select(file => new FileDescription(file, size, new string('a', 64)))],
                DateTimeOffset.UnixEpoch.AddSeconds(size)
            );
        Check.QuickThrowOnFailure(Prop.ForAll(updates.ToArbitrary(), RoundTrips));
    }

    private static bool RoundTrips(UpdateDescription update)
    {
        var built = ManifestBuilder.Build(update);
        var read = UpdateManifest.Parse(built.Attached.Span);
        if (built.Detached is { } detached)
        {
            read = read.ResolveDetached(detached.Content.Span);
        }
        var step = read.Steps.Single();
        return read.UpdateId == update.UpdateId
            && read.CreatedDateTime == update.CreatedDateTime
            && read.Compatibility.Single().SequenceEqual(update.Compatibility.Single())
            && step.Description == update.Steps[0].Description
            && JsonElement.DeepEquals(step.HandlerProperties, update.Steps[0].HandlerProperties!.Value)
            && step.Files.Select(id => read.Files[id].FileName).SequenceEqual(update.Steps[0].FileNames)
            && read.Files.Values.All(file => file.SizeInBytes == update.Files[0].SizeInBytes);
    }

    private static string Clean(string? text) =>
        // A lone surrogate is no text that JSON could carry.
        string.Concat((text ?? "").Where(c => !char.IsSurrogate(c)).Take(ManifestLimits.MaxTextLength));
}
