using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Durable.Tests;

public sealed partial class DurableRecordTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("durable");

    private string FilePath => Path.Combine(folder.FullName, "deep", "record.json");

    [Fact]
    public void Load_Nothing_IsNull() => Record().Load().ShouldBeNull();

    [Fact]
    public void Load_Saved_IsTheSame()
    {
        Record().Save(new("a", 7));

        Record().Load().ShouldBe(new Sample("a", 7));
        File.ReadAllText(FilePath).ShouldBe("""{"format":1,"value":{"name":"a","count":7}}""");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"format":1}""")]
    [InlineData("""{"format":"x","value":{}}""")]
    [InlineData("""{"format":1,"value":{"name":7}}""")]
    [InlineData("\0\0\0\0")]
    public void Load_Damaged_IsSetAsideNotDeleted(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, content);

        Record().Load().ShouldBeNull();

        var aside = Directory.GetFiles(Path.GetDirectoryName(FilePath)!).ShouldHaveSingleItem();
        aside.ShouldContain("record.json.damaged-");
        File.ReadAllText(aside).ShouldBe(content);
    }

    [Fact]
    public void Load_OfANewerProgram_IsSetAside()
    {
        Record(format: 2).Save(new("a", 7));

        Record(format: 1).Load().ShouldBeNull();

        Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "*.damaged-*").Length.ShouldBe(1);
    }

    [Fact]
    public void Load_OfAnOlderProgram_IsRead()
    {
        Record(format: 1).Save(new("a", 7));

        Record(format: 2).Load().ShouldBe(new Sample("a", 7));
    }

    [Fact]
    public void Folder_OneDamaged_GivesTheOthers()
    {
        var records = Folder();
        records.Save("a", new("a", 1));
        records.Save("b", new("b", 2));
        File.WriteAllText(Path.Combine(folder.FullName, "a.json"), "{");

        records.LoadAll().ShouldBe([new Sample("b", 2)]);
        records.LoadAll().ShouldBe([new Sample("b", 2)]);
    }

    [Fact]
    public void Folder_Delete_RemovesOne()
    {
        var records = Folder();
        records.Save("a", new("a", 1));

        records.Delete("a");

        records.Load("a").ShouldBeNull();
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-1_b.c", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("../x", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    public void Id_IsSafeAsAFileName(string id, bool valid) => RecordIds.IsValid(id).ShouldBe(valid);

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void Id_Length_EndsAt128(int length, bool valid) =>
        RecordIds.IsValid(new string('a', length)).ShouldBe(valid);

    [Fact]
    public void Folder_UnsafeId_Throws() => Should.Throw<ArgumentException>(() => Folder().Load("../secret"));

    public void Dispose() => folder.Delete(recursive: true);

    private DurableRecord<Sample> Record(int format = 1) =>
        new(FilePath, SampleJson.Default.Sample, failpoint: null, NullLogger.Instance, format);

    private DurableFolder<Sample> Folder() =>
        new(folder.FullName, SampleJson.Default.Sample, failpoint: null, NullLogger.Instance);

    internal sealed record Sample(string Name, int Count);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Sample))]
    internal sealed partial class SampleJson : JsonSerializerContext;
}
