using System.Text;

namespace EdgeDm.Updates.Tests;

public sealed class UpdateManifestTests
{
    [Fact]
    public void Parse_DeviceUpdatesManifest_ReadsEverything()
    {
        var manifest = UpdateManifest.Parse(Samples.Bytes(Samples.DeviceUpdate));

        manifest.ManifestVersion.ShouldBe(4);
        manifest.UpdateId.ShouldBe(new UpdateId("Contoso", "Toaster", "1.0.0.9"));
        manifest.CreatedDateTime.ShouldBe(DateTimeOffset.Parse("2022-01-11T18:35:56.3841867Z"));
        manifest.Steps.Select(step => step.Type).ShouldBe([StepTypes.Inline, StepTypes.Reference]);
        manifest.Steps[0].HandlerProperties.GetProperty("scriptFileName").GetString().ShouldBe("install.sh");
        manifest.Steps[1].ReferencedUpdateId!.Name.ShouldBe("Toaster-child");
        manifest.Files["f483750ebb885d32c"].Sha256.ShouldStartWith("e3b0c442");
        manifest.Files["fb53a0ab4ecb3b1b9"].DownloadHandler.ShouldBe("microsoft/delta:1");
        manifest.TotalBytes.ShouldBe(724);
    }

    [Theory]
    [InlineData("\"4\"", 4)]
    [InlineData("\"4.0\"", 4)]
    [InlineData("4", 4)]
    [InlineData("4.0", 4)]
    [InlineData("\"5\"", 5)]
    [InlineData("\"5.0\"", 5)]
    [InlineData("5", 5)]
    [InlineData("5.0", 5)]
    public void Parse_VersionInAnyForm_IsKnown(string version, int expected) =>
        UpdateManifest
            .Parse(Samples.Bytes(Samples.DeviceUpdate.Replace("\"4\"", version)))
            .ManifestVersion.ShouldBe(expected);

    [Theory]
    [InlineData("\"3\"")]
    [InlineData("\"6\"")]
    [InlineData("\"5.1\"")]
    [InlineData("\"5x\"")]
    [InlineData("50e-1")]
    [InlineData("true")]
    public void Parse_OtherVersion_IsRefused(string version) =>
        Samples
            .Refused(() => UpdateManifest.Parse(Samples.Bytes(Samples.DeviceUpdate.Replace("\"4\"", version))))
            .Code.ShouldBe(4001);

    [Theory]
    [InlineData("\"name\":\"Toaster\"", "\"name\":\"Toaster\",\"\\u006eame\":\"Oven\"", "updateManifest")]
    [InlineData(
        "\"files\":[\"f483750ebb885d32c\"]",
        "\"files\":[\"other\"]",
        "updateManifest.instructions.steps[0].files[0]"
    )]
    [InlineData("\"sizeInBytes\":6", "\"sizeInBytes\":-1", "updateManifest.files.f483750ebb885d32c.sizeInBytes")]
    [InlineData("\"sizeInBytes\":6", "\"sizeInBytes\":6.5", "updateManifest.files.f483750ebb885d32c.sizeInBytes")]
    [InlineData(
        "\"sizeInBytes\":6",
        "\"sizeInBytes\":68719476737",
        "updateManifest.files.f483750ebb885d32c.sizeInBytes"
    )]
    [InlineData(
        "\"fileName\":\"install.sh\"",
        "\"fileName\":\"../install.sh\"",
        "updateManifest.files.f483750ebb885d32c.fileName"
    )]
    [InlineData("\"fileName\":\"install.sh\"", "\"fileName\":\"\\ud800\"", "updateManifest")]
    [InlineData("child.updatemanifest.json", "INSTALL.sh", "updateManifest.files.fb53a0ab4ecb3b1b9")]
    [InlineData(
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8",
        "updateManifest.files.f483750ebb885d32c.hashes.sha256"
    )]
    [InlineData(
        "{\"deviceManufacturer\":\"contoso\",\"deviceModel\":\"toaster\"}",
        "{}",
        "updateManifest.compatibility"
    )]
    [InlineData("\"type\":\"reference\"", "\"type\":\"other\"", "updateManifest.instructions.steps[1].type")]
    [InlineData("2022-01-11T18:35:56.3841867Z", "yesterday", "updateManifest.createdDateTime")]
    [InlineData("\"handler\":\"microsoft/script:1\",", "", "updateManifest.instructions.steps[0].handler")]
    [InlineData("\"manifestVersion\"", "/**/\"manifestVersion\"", "updateManifest")]
    public void Parse_WrongValue_NamesItsPath(string old, string wrong, string context)
    {
        Samples.DeviceUpdate.ShouldContain(old);
        var error = Samples.Refused(() =>
            UpdateManifest.Parse(Samples.Bytes(Samples.DeviceUpdate.Replace(old, wrong)))
        );
        error.Code.ShouldBe(4000);
        error.Context.ShouldBe(context);
    }

    [Fact]
    public void Parse_InvalidUtf8_IsRefused()
    {
        var bytes = Samples.Bytes(Samples.DeviceUpdate.Replace("install.sh", "instal?.sh"));
        bytes[Encoding.UTF8.GetString(bytes).IndexOf('?')] = 0xff;
        Samples.Refused(() => UpdateManifest.Parse(bytes)).Code.ShouldBe(4000);
    }

    [Fact]
    public void Parse_AnyPrefix_IsRefusedWithAnErrorOfTheRegistry()
    {
        var bytes = Samples.Bytes(Samples.DeviceUpdate);
        for (var length = 0; length < bytes.Length - 1; length++)
        {
            Samples.Refused(() => UpdateManifest.Parse(bytes.AsSpan(0, length))).Code.ShouldBe(4000);
        }
    }

    [Theory]
    [InlineData(ManifestLimits.MaxManifestBytes, true)]
    [InlineData(ManifestLimits.MaxManifestBytes + 1, false)]
    public void Parse_BytesAtTheLimit_Edge(int length, bool accepted) =>
        Edge(
            Samples.DeviceUpdate.PadRight(
                length + (Samples.DeviceUpdate.Length - Samples.Bytes(Samples.DeviceUpdate).Length)
            ),
            accepted
        );

    [Theory]
    [InlineData(ManifestLimits.MaxFiles, true)]
    [InlineData(ManifestLimits.MaxFiles + 1, false)]
    public void Parse_FilesAtTheLimit_Edge(int count, bool accepted) =>
        Edge(Manifest(files: Enumerable.Range(0, count).Select(File)), accepted);

    [Theory]
    [InlineData(ManifestLimits.MaxSteps, true)]
    [InlineData(ManifestLimits.MaxSteps + 1, false)]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public void Parse_StepsAtTheLimit_Edge(int count, bool accepted) =>
        Edge(Manifest(steps: Enumerable.Repeat("""{"handler":"h"}""", count)), accepted);

    [Theory]
    [InlineData(ManifestLimits.MaxCompatibilitySets, true)]
    [InlineData(ManifestLimits.MaxCompatibilitySets + 1, false)]
    public void Parse_CompatibilitySetsAtTheLimit_Edge(int count, bool accepted) =>
        Edge(Manifest(compatibility: Enumerable.Repeat("""{"a":"b"}""", count)), accepted);

    [Theory]
    [InlineData(ManifestLimits.MaxCompatibilityProperties, true)]
    [InlineData(ManifestLimits.MaxCompatibilityProperties + 1, false)]
    public void Parse_CompatibilityPropertiesAtTheLimit_Edge(int count, bool accepted) =>
        Edge(
            Manifest(
                compatibility: [$"{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"p{i}\":\"v\""))}}}"]
            ),
            accepted
        );

    [Theory]
    [InlineData(ManifestLimits.MaxNameLength, true)]
    [InlineData(ManifestLimits.MaxNameLength + 1, false)]
    public void Parse_HandlerNameAtTheLimit_Edge(int length, bool accepted) =>
        Edge(Manifest(steps: [$$"""{"handler":"{{new string('h', length)}}"}"""]), accepted);

    [Theory]
    [InlineData(ManifestLimits.MaxTextLength, true)]
    [InlineData(ManifestLimits.MaxTextLength + 1, false)]
    public void Parse_DescriptionAtTheLimit_Edge(int length, bool accepted) =>
        Edge(Manifest(steps: [$$"""{"handler":"h","description":"{{new string('d', length)}}"}"""]), accepted);

    [Theory]
    [InlineData(ManifestLimits.MaxFileNameBytes / 2, true)] // Two bytes each.
    [InlineData(ManifestLimits.MaxFileNameBytes / 2 + 1, false)]
    public void Parse_FileNameAtTheLimit_Edge(int length, bool accepted) =>
        Edge(Manifest(files: [FileNamed(new string('ä', length))]), accepted);

    [Theory]
    // The manifest, instructions, steps, the step and the properties are five levels.
    [InlineData(ManifestLimits.MaxDepth - 5, true)]
    [InlineData(ManifestLimits.MaxDepth - 4, false)]
    public void Parse_DepthAtTheLimit_Edge(int depth, bool accepted) =>
        Edge(
            Manifest(
                steps:
                [
                    $$$"""{"handler":"h","handlerProperties":{"d":{{{new string('[', depth)}}}{{{new string(']', depth)}}}}}""",
                ]
            ),
            accepted
        );

    [Theory]
    [InlineData("install.sh", true)]
    [InlineData("größe.bin", true)]
    [InlineData(".hidden", true)]
    [InlineData("a b", true)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a\\\\b", false)]
    [InlineData("C:x", false)]
    [InlineData("-rf", false)]
    [InlineData("x ", false)]
    [InlineData("x.", false)]
    [InlineData("nul.txt", false)]
    [InlineData("COM1", false)]
    [InlineData("a\\u0000b", false)]
    [InlineData("a\\nb", false)]
    public void Parse_FileName_IsOneSafeSegment(string name, bool accepted) =>
        Edge(Manifest(files: [FileNamed(name)]), accepted);

    [Theory]
    [InlineData("Contoso", "Gateway", true)]
    [InlineData("Contoso", "Toaster", false)]
    [InlineData("contoso", "Gateway", false)]
    public void IsCompatibleWith_Host_NeedsAWholeSet(string manufacturer, string model, bool expected) =>
        ManifestBuilder
            .Build(Samples.Update())
            .Full.IsCompatibleWith(
                new Dictionary<string, string> { ["deviceManufacturer"] = manufacturer, ["deviceModel"] = model }
            )
            .ShouldBe(expected);

    private static void Edge(string manifest, bool accepted)
    {
        if (accepted)
        {
            UpdateManifest.Parse(Samples.Bytes(manifest));
        }
        else
        {
            Samples.Refused(() => UpdateManifest.Parse(Samples.Bytes(manifest))).Code.ShouldBe(4000);
        }
    }

    private static string Manifest(
        IEnumerable<string>? compatibility = null,
        IEnumerable<string>? steps = null,
        IEnumerable<string>? files = null
    ) =>
        $$$"""
            {"manifestVersion":"5","updateId":{"provider":"p","name":"n","version":"1.0"},
             "compatibility":[{{{string.Join(',', compatibility ?? ["""{"a":"b"}"""])}}}],
             "instructions":{"steps":[{{{string.Join(',', steps ?? ["""{"handler":"h"}"""])}}}]},
             "files":{{{{string.Join(',', files ?? [])}}}}}
            """;

    private static string File(int index) => $"\"f{index}\":{FileBody($"name{index}")}";

    private static string FileNamed(string name) => $"\"f\":{FileBody(name)}";

    private static string FileBody(string name) =>
        $$$"""{"fileName":"{{{name}}}","sizeInBytes":0,"hashes":{"sha256":"{{{Samples.DigestOfNothing}}}"}}""";
}
