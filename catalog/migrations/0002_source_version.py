from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="attackrelease",
            name="source_version",
            field=models.CharField(blank=True, editable=False, max_length=128, default=""),
            preserve_default=False,
        ),
        migrations.RenameField("tactic", "version", "source_version"),
        migrations.RenameField("technique", "version", "source_version"),
        migrations.RenameField("mitigation", "version", "source_version"),
        migrations.RenameField("software", "version", "source_version"),
        migrations.RenameField("attackcampaign", "version", "source_version"),
        migrations.RenameField("techniquecrosswalk", "version", "source_version"),
        migrations.RenameField("detectionstrategy", "version", "source_version"),
        migrations.RenameField("analytic", "version", "source_version"),
        migrations.RenameField("datacomponent", "version", "source_version"),
        migrations.RenameField("defensivetechnique", "version", "source_version"),
        migrations.RenameField("testtemplate", "version", "source_version"),
        migrations.RenameField("detectionrule", "version", "source_version"),
    ]
